// The editor beside what is made of its text: line numbers, and the way from a finding to its line. It works without.
(() => {
  "use strict";
  const text = document.getElementById("text");
  const paper = text.closest(".paper");
  const numbers = paper.querySelector(".numbers");
  let count = 0;

  function number() {
    const lines = text.value.split("\n").length;
    if (lines === count) return;
    count = lines;
    numbers.textContent = Array.from({ length: lines }, (_, n) => n + 1).join("\n");
    text.rows = lines + 1;
  }

  function go(line, column) {
    const lines = text.value.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const start = before + Math.max(0, column - 1);
    const end = before + (lines[line - 1] ?? "").length;
    const height = text.scrollHeight / text.rows;
    text.focus({ preventScroll: true });
    text.setSelectionRange(Math.min(start, end), end);
    paper.scrollTop = Math.max(0, (line - 4) * height);
    paper.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    go(Number(link.dataset.line), Number(link.dataset.column ?? 1));
  });
  text.addEventListener("input", number);
  number();
})();
