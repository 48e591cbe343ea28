// Run before the page is drawn: the colours of the page around it, where that says them (?theme=light or dark), and the
// name of who is called (#name=…), which stands behind the # so that no log has it.

const theme = new URLSearchParams(location.search).get("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
document.documentElement.dataset.person = new URLSearchParams(location.hash.slice(1)).get("name") || "Them";
