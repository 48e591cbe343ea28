// Run before the page is drawn: the colours of the page around it, where that says them (?theme=light or dark).

const theme = new URLSearchParams(location.search).get("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
