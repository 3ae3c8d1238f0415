"use strict";
(() => {
  const root = document.documentElement, tip = document.getElementById("tip");
  root.classList.add("js");
  let owner = null, leaving = 0;

  function hide() {
    if (owner) owner.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  }

  function show(link) {
    clearTimeout(leaving);
    if (owner === link) return;
    hide();
    const names = (link.dataset.all ?? link.getAttribute("href").slice(1)).split(" "), most = 3;
    const cards = names.map((name) => document.getElementById(name));
    tip.replaceChildren(...cards.slice(0, most).flatMap((card) => [...card.childNodes].map((node) => node.cloneNode(true))));
    if (names.length > most) tip.append(`and ${names.length - most} more`);
    tip.className = ["bad", "good"].find((kind) => cards.some((card) => card.classList.contains(kind))) ?? "none";
    tip.hidden = false;
    owner = link;
    link.setAttribute("aria-describedby", "tip");
    const mark = link.getBoundingClientRect(), box = tip.getBoundingClientRect(), room = root.clientWidth;
    const left = Math.min(Math.max(8, mark.left + mark.width / 2 - box.width / 2), Math.max(8, room - box.width - 8));
    const above = mark.top - box.height - 10;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 4 ? above : mark.bottom + 10) + scrollY}px`;
  }

  for (const link of document.querySelectorAll("svg.chart a")) {
    link.addEventListener("pointerenter", () => show(link));
    link.addEventListener("pointerleave", () => { leaving = setTimeout(hide, 200); });
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
  }
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", () => { leaving = setTimeout(hide, 200); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  const table = document.querySelector("table.sets");
  if (table) {
    const body = table.tBodies[0], rows = [...body.rows];
    const named = rows.map((row) => row.cells[0].textContent.toLowerCase());
    const heads = [...table.tHead.rows[0].cells], few = 50;
    const filter = document.getElementById("filter"), counted = document.getElementById("counted");
    const shown = document.getElementById("shown"), more = document.querySelector(".more");
    let all = rows.length <= few;
    rows.forEach((row, place) => { row.place = place; });

    function value(row, column) {
      const given = row.cells[column].dataset.v;
      return column === 0 ? named[row.place] : given === undefined ? null : Number(given);
    }

    function compare(one, other, sign) {
      if (one === null || other === null) return (one === null) - (other === null);
      return sign * (one < other ? -1 : one > other ? 1 : 0);
    }

    function arrange() {
      const text = filter.value.trim().toLowerCase();
      let fit = 0, seen = 0;
      for (const row of body.rows) {
        const fits = named[row.place].includes(text) && !(counted.checked && !Number(row.cells[COUNTED].dataset.v));
        fit += fits;
        row.hidden = !(fits && (all || seen < few));
        seen += !row.hidden;
      }
      shown.value = `${seen.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
      more.hidden = seen >= fit;
    }

    function sort(column) {
      const head = heads[column], before = head.getAttribute("aria-sort");
      const first = head.classList.contains("up") ? "ascending" : "descending";
      const order = before === null ? first : before === "ascending" ? "descending" : "ascending";
      const sign = order === "ascending" ? 1 : -1;
      const keys = rows.map((row) => value(row, column));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sorted = [...rows].sort((a, b) => compare(keys[a.place], keys[b.place], sign) || a.place - b.place);
      body.replaceChildren(...sorted);
      arrange();
    }

    const COUNTED = heads.findIndex((head) => head.textContent.startsWith("Counted"));
    heads.forEach((head, column) => {
      const button = head.querySelector("button");
      button.disabled = false;
      button.addEventListener("click", () => sort(column));
    });
    filter.addEventListener("input", arrange);
    counted.addEventListener("change", arrange);
    filter.form.addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("all").addEventListener("click", () => { all = true; arrange(); });
    filter.form.hidden = false;
    arrange();
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    hide();
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
