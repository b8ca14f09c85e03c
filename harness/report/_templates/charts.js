// Redraws each chart with what a pointer finds in it. A drawing stays as it was where that fails.
const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, tooltip: { theme: "custom" } };

async function redraw(figure) {
  const still = figure.querySelector("svg");
  const live = document.createElement("div");
  still.before(live);
  try {
    await vegaEmbed(live, JSON.parse(figure.querySelector("script").textContent), options);
    still.remove();
    figure.dataset.drawn = "live";
  } catch (error) {
    live.remove();
    console.error(error);
  }
}

document.querySelectorAll("figure[data-chart]").forEach(redraw);
