// Lets a reader sort and filter the rows of a table. Without it the table is whole, in its first order.
function sortable(section) {
  const body = section.querySelector("tbody");
  const heads = [...section.querySelectorAll("thead th")];
  const words = new Intl.Collator(undefined, { numeric: true });

  function order(head, column) {
    const falling = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const figures = [...body.rows].some((row) => "key" in row.cells[column].dataset);
    const value = (row) => {
      const cell = row.cells[column];
      return figures ? Number(cell.dataset.key ?? NaN) : cell.textContent.trim();
    };
    const compare = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (!figures) return falling ? words.compare(b, a) : words.compare(a, b);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // unknown figures stay last
      return a === b ? 0 : (a < b) === falling ? 1 : -1;
    };
    body.append(...[...body.rows].sort(compare));
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => order(head, column));
    head.append(button);
  });

  const filter = section.querySelector(".filter");
  const [text, verdict, count] = ["input", "select", "output"].map((tag) => filter.querySelector(tag));

  function narrow() {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      const fits = row.textContent.toLowerCase().includes(wanted);
      row.hidden = !(fits && (!verdict.value || row.querySelector(".badge")?.textContent.includes(verdict.value)));
      shown += !row.hidden;
    }
    count.value = `${shown} of ${body.rows.length} shown`;
  }

  text.addEventListener("input", narrow);
  verdict.addEventListener("change", narrow);
  filter.hidden = false;
  narrow();
}

document.querySelectorAll("[data-sortable]").forEach(sortable);
