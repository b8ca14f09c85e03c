// Keeps the runs under way up to date, and reads the page again when one has ended or begun.
const section = document.querySelector(".live");
const list = section.querySelector("ul");

function shown(run) {
  const item = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = run.name;
  const silent = run.silent ? ` (silent for ${Math.round(run.told_s / 60)} min; it may have been killed)` : "";
  item.append(name, ` ${run.stage}, ${Math.round(run.since_s)} s: ${run.line}${silent}`);
  if (run.share !== null) {
    const bar = document.createElement("progress");
    bar.value = run.share;
    bar.setAttribute("aria-label", `${run.name}, ${run.stage}`);
    item.append(document.createElement("br"), bar);
  }
  return item;
}

async function follow() {
  try {
    const runs = await (await fetch("/live.json")).json();
    if (runs.map((run) => run.run).join("\n") !== section.dataset.runs) {
      location.reload();
      return;
    }
    list.replaceChildren(...runs.map(shown));
  } catch {
    // the site has ended; what was shown last stays
  }
  setTimeout(follow, 2000);
}

follow();
