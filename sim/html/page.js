"use strict";
// Without this script the page says all the same; with it, timelines can be asked and zoomed, and commands copied.
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
  const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  prefersDark.addEventListener("change", showTheme);
  showTheme();

  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  };
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  class Timeline {
    constructor(details) {
      this.details = details;
      this.data = JSON.parse(details.querySelector("script").textContent);
      this.plot = details.querySelector(".plot");
      this.drawings = [...details.querySelectorAll("svg")];
      this.steps = details.querySelector(".steps");
      this.cursor = details.querySelector(".cursor");
      this.told = details.querySelector(".told");
      this.count = Math.ceil(this.data.writes / this.data.per);
      this.at = 0;
      this.window = [-0.5, this.count + 0.5];
      this.cutsFound = [...new Set(this.data.findings.map((finding) => finding.cut))];
      details.querySelector(".buttons").hidden = false;
      details.addEventListener("click", (event) => this.press(event.target.dataset.do));
      this.plot.addEventListener("keydown", (event) => this.key(event));
      this.plot.addEventListener("pointermove", (event) => this.hover(event));
      this.plot.addEventListener("pointerdown", (event) => this.grab(event));
      this.plot.addEventListener("pointerup", () => { this.grabbed = undefined; });
      this.plot.addEventListener("pointercancel", () => { this.grabbed = undefined; });
      this.plot.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      this.plot.addEventListener("focus", () => this.show(this.at));
      details.addEventListener("toggle", () => this.layOut());
      new ResizeObserver(() => this.layOut()).observe(this.plot);
      if (this.cutsFound.length > 0) this.show(this.columnOfCut(this.cutsFound[0]));
    }

    columnOfCut(cut) {
      return Math.max(0, Math.min(this.count - 1, Math.ceil(cut / this.data.per) - 1));
    }

    /// The place under the pointer, in columns.
    placeOf(event) {
      const box = this.plot.getBoundingClientRect();
      const [low, high] = this.window;
      return low + ((event.clientX - box.left) / box.width) * (high - low);
    }

    hover(event) {
      if (this.grabbed && this.grabbed.buttons !== 0 && event.buttons !== 0) {
        const [low, high] = this.window;
        const moved = this.grabbed.place - this.placeOf(event);
        this.look(low + moved, high + moved);
        return;
      }
      this.show(Math.floor(this.placeOf(event)));
    }

    grab(event) {
      this.show(Math.floor(this.placeOf(event)));
      this.grabbed = { place: this.placeOf(event), buttons: event.buttons };
    }

    wheel(event) {
      // A bare wheel scrolls the page.
      if (!event.ctrlKey && !event.altKey && !event.shiftKey) return;
      event.preventDefault();
      this.zoom(event.deltaY + event.deltaX > 0 ? 1.25 : 0.8, this.placeOf(event));
    }

    press(what) {
      if (what === "in") this.zoom(0.5, this.at + 0.5);
      if (what === "out") this.zoom(2, this.at + 0.5);
      if (what === "all") this.look(-0.5, this.count + 0.5);
      if (what === "finding") this.nextFinding();
    }

    key(event) {
      const page = Math.max(1, Math.round((this.window[1] - this.window[0]) / 10));
      const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page, Home: -Infinity, End: Infinity };
      if (event.key in moves) {
        this.show(this.at + moves[event.key]);
        this.follow();
      } else if (event.key === "+" || event.key === "=") this.press("in");
      else if (event.key === "-") this.press("out");
      else if (event.key === "0") this.press("all");
      else if (event.key === "n") this.press("finding");
      else return;
      event.preventDefault();
    }

    nextFinding() {
      const here = (this.at + 1) * this.data.per;
      const next = this.cutsFound.find((cut) => cut > here) ?? this.cutsFound[0];
      if (next === undefined) return;
      this.show(this.columnOfCut(next));
      this.follow();
    }

    zoom(factor, around) {
      const [low, high] = this.window;
      this.look(around - (around - low) * factor, around + (high - around) * factor);
    }

    /// Shows the columns from low to high, as far as there are any, and not fewer than four.
    look(low, high) {
      const all = this.count + 1;
      const width = Math.min(all, Math.max(Math.min(4, all), high - low));
      const middle = (low + high) / 2;
      const start = Math.max(-0.5, Math.min(this.count + 0.5 - width, middle - width / 2));
      this.window = [start, start + width];
      this.layOut();
    }

    /// Moves the window so that the cursor is in it.
    follow() {
      const [low, high] = this.window;
      const width = high - low;
      if (this.at < low || this.at + 1 > high) this.look(this.at + 0.5 - width / 2, this.at + 0.5 + width / 2);
    }

    layOut() {
      if (!this.details.open) return;
      const [low, high] = this.window;
      const width = high - low;
      for (const drawing of this.drawings) {
        const [, top, , height] = drawing.getAttribute("viewBox").split(" ");
        drawing.setAttribute("viewBox", `${low} ${top} ${width} ${height}`);
      }
      const percent = (columns) => `${(columns * 100) / width}%`;
      const pixels = this.plot.clientWidth;
      const per = this.data.per;
      const names = [];
      for (const [first, end, name] of this.data.steps) {
        const [left, right] = [Math.max(low, first / per), Math.min(high, end / per)];
        if (right <= left || ((right - left) / width) * pixels < 44) continue;
        const label = element("span", name);
        label.title = name;
        label.style.left = percent(left - low);
        label.style.width = percent(right - left);
        names.push(label);
      }
      this.steps.replaceChildren(...names);
      this.cursor.style.left = percent(this.at - low);
      this.cursor.style.width = percent(1);
    }

    show(column) {
      this.at = Math.max(0, Math.min(this.count - 1, column));
      if (this.count === 0) return;
      this.cursor.hidden = false;
      this.layOut();
      const parts = this.data.per === 1 ? this.tellWrite(this.at) : this.tellColumn(this.at);
      this.told.replaceChildren(...parts);
      this.plot.setAttribute("aria-valuenow", String(this.at));
      this.plot.setAttribute("aria-valuetext", this.told.textContent.replace(/\s+/g, " "));
    }

    tellWrite(number) {
      const [row, isProgram, offset, length, phase] = this.data.columns.slice(number * 5, number * 5 + 5);
      const block = `block ${this.data.rows[row]}`;
      const what = isProgram ? `program ${block}, ${plural(length, "byte")} at ${offset}` : `erase ${block}`;
      const step = this.data.steps.find(([first, end]) => first <= number && number < end);
      const line = document.createElement("div");
      line.append(element("b", `Write ${number}`), `: ${what}`);
      if (phase > 0) line.append(`; ${this.data.phases[phase - 1]}`);
      if (step) line.append(`; in ${/^\d/.test(step[2]) ? "operation " : ""}${step[2]}`);
      if (this.data.syncs.includes(number + 1)) line.append("; a sync follows");
      return [line, this.tellCuts(number, number + 1)];
    }

    tellColumn(column) {
      const [erases, programs, bytes] = this.data.columns.slice(column * 3, column * 3 + 3);
      const [first, end] = [column * this.data.per, Math.min(this.data.writes, (column + 1) * this.data.per)];
      const line = document.createElement("div");
      line.append(element("b", `Writes ${first} to ${end - 1}`), `: ${plural(erases, "erase")}, ${plural(programs, "program")} of ${plural(bytes, "byte")}`);
      const steps = this.data.steps.filter(([from, to]) => from < end && first < to);
      if (steps.length > 0) line.append(`; from ${steps[0][2]} to ${steps[steps.length - 1][2]}`);
      return [line, this.tellCuts(first, end)];
    }

    /// What was found where the last write on the medium is one of these; before the first, where none is.
    tellCuts(first, end) {
      const line = document.createElement("div");
      const low = first === 0 ? 0 : first + 1;
      line.append(low === end ? "Power cut behind it: " : first === 0 && end === 1 ? "Power cut before or behind it: " : "Power cuts behind them: ");
      const found = this.data.findings.filter((finding) => low <= finding.cut && finding.cut <= end);
      if (found.length === 0) {
        const [text, style] = this.data.class === "clean" ? ["clean", "good"] : ["nothing found; not all states were covered", "dim"];
        line.append(element("span", text, style));
        return line;
      }
      const kinds = new Map();
      for (const finding of found) {
        const sum = kinds.get(finding.kind) ?? { count: 0, witness: finding.witness };
        sum.count += finding.count;
        kinds.set(finding.kind, sum);
      }
      let separator = "";
      for (const [kind, { count, witness }] of kinds) {
        line.append(separator, element("span", `${kind}, ${plural(count, "state")}`, "bad"));
        if (witness) {
          const link = element("a", "first witness");
          link.href = `#${witness}`;
          line.append(" (", link, ")");
        }
        separator = "; ";
      }
      return line;
    }
  }

  for (const details of document.querySelectorAll(".timeline")) new Timeline(details);
})();
