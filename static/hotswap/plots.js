/* Plots of days, told dot by dot: under the pointer, and by the arrow keys of whoever has none.

   Left and right go along a line, up and down to the next one, Home and End to its ends, Escape
   puts the words away. The words are the dots' own titles; screen readers hear them, too. */
(function () {
  "use strict";

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  const LINES = { ArrowUp: -1, ArrowDown: 1 };

  function start(plot) {
    const svg = plot.querySelector("svg");
    const says = plot.querySelector("[data-plot-says]");
    const lines = [...svg.querySelectorAll("[data-line]")]
      .map(line => [...line.querySelectorAll("[data-dot]")].map(mark => {
        const title = mark.querySelector("title");
        const words = title.textContent;
        title.remove(); // or the browser would show it over ours
        return { mark, words, x: Number(mark.dataset.x), y: Number(mark.dataset.y) };
      }))
      .filter(dots => dots.length);
    const box = svg.viewBox.baseVal;
    let line = -1;
    let at = -1;

    function show(toLine, toDot) {
      hide();
      [line, at] = [toLine, toDot];
      const dot = lines[line][at];
      dot.mark.classList.add("hs-told");
      says.textContent = dot.words;
      says.hidden = false;
      const scale = plot.clientWidth / box.width;
      const room = plot.clientWidth - says.offsetWidth;
      says.style.left = Math.max(0, Math.min(room, dot.x * scale - says.offsetWidth / 2)) + "px";
      says.style.top = dot.y * scale - says.offsetHeight - 8 + "px";
    }

    function hide() {
      if (line >= 0) lines[line][at].mark.classList.remove("hs-told");
      says.hidden = true;
      says.textContent = "";
      line = at = -1;
    }

    /* Return the dot of a line that lies next to a place, by distance. */
    function nearest(dots, x, y) {
      const off = dots.map(dot => Math.hypot(dot.x - x, y === null ? 0 : dot.y - y));
      return off.indexOf(Math.min(...off));
    }

    plot.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && line >= 0) hide();
      else if (event.key in STEPS || event.key in LINES) {
        if (line < 0) show(0, lines[0].length - 1);
        else if (event.key in STEPS) show(line, Math.min(lines[line].length - 1, Math.max(0, at + STEPS[event.key])));
        else {
          const to = (line + LINES[event.key] + lines.length) % lines.length;
          show(to, nearest(lines[to], lines[line][at].x, null));
        }
      } else return;
      event.preventDefault();
    });
    plot.addEventListener("focus", () => { if (line < 0 && plot.matches(":focus-visible")) show(0, lines[0].length - 1); });
    plot.addEventListener("blur", hide);

    svg.addEventListener("pointermove", event => {
      const frame = svg.getBoundingClientRect();
      const scale = frame.width / box.width;
      const [x, y] = [(event.clientX - frame.left) / scale, (event.clientY - frame.top) / scale];
      let best = null;
      lines.forEach((dots, n) => {
        const dot = nearest(dots, x, y);
        const off = Math.hypot(dots[dot].x - x, dots[dot].y - y);
        if (!best || off < best.off) best = { n, dot, off };
      });
      if (best.n !== line || best.dot !== at) show(best.n, best.dot);
    });
    svg.addEventListener("pointerleave", hide);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-plot]").forEach(start));
})();
