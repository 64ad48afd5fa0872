// Not a module: where modules do not load, or a part of the page is missing, it says so. / Kein Modul.

setTimeout(() => {
  if ("begun" in document.body.dataset) return;
  document.getElementById("title").textContent = "This page did not load / Diese Seite wurde nicht geladen";
  document.getElementById("state").textContent =
    "Load it again, or try a newer browser. / Laden Sie sie neu, oder versuchen Sie es mit einem neueren Browser.";
  document.getElementById("talk").hidden = true;
}, 10_000);
