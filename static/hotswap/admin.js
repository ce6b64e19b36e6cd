/* Names for what widgets build in the browser, where no template could give one; what pages may not
   do inline. */
(function () {
  "use strict";

  function nameSearchedSelects(root) {
    for (const select of root.querySelectorAll("select.select2-hidden-accessible")) {
      const label = select.labels && select.labels[0];
      const box = select.nextElementSibling;
      if (!label || !box || box.dataset.named) continue;
      box.dataset.named = "yes";
      const name = label.textContent.trim();
      for (const part of box.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox], input")) {
        part.setAttribute("aria-label", name);
      }
    }
  }

  /* Words come from the page, in its language. */
  const words = () => document.getElementById("page").dataset;

  function nameScrolledParts(root) {
    root.querySelectorAll(".simplebar-content-wrapper[role=region]").forEach((part, index) => {
      if (part.querySelector("table")) part.setAttribute("aria-label", index ? `${words().table} ${index + 1}` : words().table);
      else { part.removeAttribute("role"); part.removeAttribute("aria-label"); }
    });
  }

  /* A row of a table has its names in the table's head. */
  function nameCells(root) {
    for (const field of root.querySelectorAll("td :is(input:not([type=hidden]), select, textarea)")) {
      if (field.labels.length || field.getAttribute("aria-label")) continue;
      const cell = field.closest("td");
      const heads = cell.closest("table").querySelectorAll("thead th");
      const head = heads[[...cell.parentElement.children].filter(each => each.tagName === "TD").indexOf(cell)];
      const name = cell.dataset.label || (head && head.textContent.trim());
      if (name) field.setAttribute("aria-label", name);
    }
  }

  function giveRoles(root) {
    for (const hint of root.querySelectorAll("span.help-tooltip[aria-label]")) hint.setAttribute("role", "img");
    for (const head of root.querySelectorAll("th")) {
      if (head.textContent.trim() || head.querySelector("input, button, a")) continue;
      const name = document.createElement("span");
      name.className = "hs-unseen";
      name.textContent = words().more;
      head.append(name);
    }
  }

  /* From the next page on, times are told in the reader's zone: config/reader_zone.py. */
  function nameOwnZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const cookie = "hotswap_zone=" + zone;
    if (!zone || document.cookie.split("; ").includes(cookie)) return;
    document.cookie = cookie + "; path=/; max-age=31536000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
  }

  /* On this page, and where there are no cookies: over a moment in another zone, it is told in the reader's. */
  function tellOwnZone(root) {
    const language = document.documentElement.lang;
    for (const time of root.querySelectorAll("time[datetime][title]:not([data-own-zone])")) {
      const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(time.dateTime) || [];
      const moment = new Date(time.dateTime);
      if (!sign || -moment.getTimezoneOffset() === Number(sign + 1) * (hours * 60 + Number(minutes))) continue;
      time.dataset.ownZone = "yes";
      const told = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
        day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
      });
      time.title = told.format(moment) + " (" + time.title + ")";
    }
  }

  function nameAll() {
    tellOwnZone(document);
    nameSearchedSelects(document);
    nameScrolledParts(document);
    nameCells(document);
    giveRoles(document);
  }

  /* Alpine and others write styles as an attribute, which the policy of pages doesn't let them;
     as a property it does. */
  const setAttribute = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style" && this.style) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  /* What is picked from a list goes into the field that the list is for. */
  document.addEventListener("click", event => {
    const picked = event.target.closest("[data-fills]");
    if (picked) document.getElementById(picked.dataset.fills).value = picked.dataset.id;
  });

  /* Ids are copied by a button, where the browser lets a page: over https, or from this machine. */
  document.addEventListener("click", event => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.lastElementChild.textContent = button.dataset.done;
      setTimeout(() => { button.lastElementChild.textContent = ""; }, 2000);
    });
  });

  let isDue = false;
  function soon() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; nameAll(); });
  }

  nameOwnZone();
  document.addEventListener("DOMContentLoaded", () => {
    nameAll();
    if (navigator.clipboard) for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  });
})();
