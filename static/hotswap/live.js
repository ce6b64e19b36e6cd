/* Parts of a page that follow what happens, without a reload.

   An element with data-live asks its address for itself again every data-every seconds, while the
   page can be seen. The answer is the element anew; without data-live it has ended. What is new is
   said to screen readers once: the element's data-says. */
(function () {
  "use strict";

  const SLOWEST = 60;
  const QUIET = 15000;

  function follow(element, says) {
    let etag = null;
    let failed = 0;
    let timer = 0;
    let said = element.dataset.says || "";
    let spoke = 0;

    function plan() {
      clearTimeout(timer);
      if (!element.dataset.live || document.hidden) return;
      const every = Number(element.dataset.every) || 5;
      timer = setTimeout(ask, Math.min(SLOWEST, every * 2 ** failed) * 1000);
    }

    function speak(isLast) {
      const now = element.dataset.says || "";
      if (now === said || (!isLast && Date.now() - spoke < QUIET)) return;
      said = now;
      spoke = Date.now();
      says.textContent = now;
    }

    function replace(html) {
      const next = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
      if (!next || next.id !== element.id) throw new Error("not this part");
      const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      element.replaceWith(next);
      element = next;
      if (focused) {
        const again = [...element.querySelectorAll("a[href]")].find(each => each.getAttribute("href") === focused);
        if (again) again.focus();
      }
      speak(!element.dataset.live);
    }

    async function ask() {
      try {
        const answer = await fetch(element.dataset.live, {
          headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", credentials: "same-origin",
        });
        if (answer.redirected || (answer.status >= 400 && answer.status < 500)) return stop();
        if (answer.status === 200) {
          etag = answer.headers.get("ETag");
          replace(await answer.text());
        } else if (answer.status !== 304) throw new Error(String(answer.status));
        failed = 0;
      } catch (error) {
        failed += 1;
      }
      plan();
    }

    /* Signed out, or gone: the page says no more than it knows. */
    function stop() {
      element.removeAttribute("data-live");
      element.classList.add("hs-stale");
      says.textContent = element.dataset.stale;
      const told = document.createElement("p");
      told.className = "hs-tone-warn hs-small";
      told.textContent = says.textContent;
      element.append(told);
    }

    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(timer);
      else if (element.dataset.live) ask();
    });
    plan();
  }

  function left(seconds) {
    if (seconds <= 0) return "";
    const minutes = Math.floor(seconds / 60);
    return minutes ? minutes + " min " + (seconds % 60) + " s" : seconds + " s";
  }

  function countDown() {
    for (const each of document.querySelectorAll("[data-countdown]")) {
      const words = left(Math.round((Date.parse(each.dateTime) - Date.now()) / 1000));
      each.textContent = words ? each.dataset.countdown.replace("{}", words) : each.dataset.over;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const parts = document.querySelectorAll("[data-live]");
    if (parts.length) {
      const says = document.createElement("p");
      says.className = "hs-unseen";
      says.id = "live-says";
      says.setAttribute("aria-live", "polite");
      document.getElementById("content").append(says);
      parts.forEach(element => follow(element, says));
    }
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    countDown();
    setInterval(countDown, isCalm ? 15000 : 1000);
  });
})();
