// Light or dark as Airflow around the page is, before anything is painted; alone, as the system is.
(() => {
  const root = document.documentElement;
  let outer = root;
  try {
    outer = window.parent === window ? root : window.parent.document.documentElement;
  } catch {
    return; // another origin frames us: not Airflow
  }
  if (outer === root) return;
  const follow = () => {
    const dark = outer.classList.contains("dark") || outer.dataset.theme === "dark";
    const light = outer.classList.contains("light") || outer.dataset.theme === "light";
    if (dark || light) root.dataset.theme = dark ? "dark" : "light";
  };
  follow();
  new MutationObserver(follow).observe(outer, { attributes: true });
})();
