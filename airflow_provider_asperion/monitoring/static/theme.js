// Follows the theme that the person chose in Airflow's pages; without a choice, that of the system.
(() => {
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let chosen = null;
    try { chosen = (localStorage.getItem("theme") || "").replaceAll('"', ""); } catch (error) { /* no storage */ }
    const dark = chosen === "dark" || (chosen !== "light" && media.matches);
    document.documentElement.classList.toggle("dark", dark);
  };
  apply();
  media.addEventListener("change", apply);
  window.addEventListener("storage", apply);
})();
