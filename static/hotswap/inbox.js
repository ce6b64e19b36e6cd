/* Keys of the inbox: j and k move, a r s lead to the page of a decision, ? tells of them.
   Focus moves along the rows' own links, so that screen readers and Enter work as ever. */
(function () {
  "use strict";

  const OFF = "hotswap-keys-off";
  const ACTS = { a: "approve", r: "reject", s: "snooze" };

  function stored() {
    try { return localStorage.getItem(OFF) === "yes"; } catch (error) { return false; }
  }

  function store(off) {
    try { off ? localStorage.setItem(OFF, "yes") : localStorage.removeItem(OFF); } catch (error) { /* kept for this page only */ }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.getElementById("keys");
    const says = document.getElementById("keys-says");
    const box = document.getElementById("keys-on");
    if (!dialog || !says || !box) return;
    let isOff = stored();
    box.checked = !isOff;
    box.addEventListener("change", () => { isOff = !box.checked; store(isOff); });
    for (const button of document.querySelectorAll("[data-keys-help]")) {
      button.addEventListener("click", () => dialog.showModal());
    }

    const rows = () => [...document.querySelectorAll("[data-row]")];
    const current = () => document.activeElement && document.activeElement.closest("[data-row]");

    function step(by) {
      const all = rows();
      if (!all.length) return;
      const at = all.indexOf(current());
      const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
      const link = all[next].querySelector("a[href]");
      link.focus();
      all[next].scrollIntoView({ block: "nearest" });
    }

    function act(name) {
      const row = current();
      if (!row) { says.textContent = says.dataset.choose; return; }
      const link = row.querySelector("[data-act=" + name + "]");
      if (link) link.click();
      else says.textContent = says.dataset.none;
    }

    function types(target) {
      return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    }

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isOff || document.querySelector("dialog[open]") || types(event.target)) return;
      says.textContent = "";
      if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
      else if (event.key === "?") dialog.showModal();
      else if (Object.hasOwn(ACTS, event.key)) act(ACTS[event.key]);
      else return;
      event.preventDefault();
    });
  });
})();
