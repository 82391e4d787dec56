// What plain HTML cannot do: keys, closing what is open, copying, dialogs, toasts. Every page works without it.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function close(menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }

  function step(by) {
    const rows = all("[data-row]");
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    (row?.querySelector(".primary a") ?? row?.querySelector("a, button, input"))?.focus();
  }

  // The keys of a list: x chooses the row that has the focus, ? tells of all keys.
  function list(key) {
    if (key === "x") document.activeElement.closest("[data-row]")?.querySelector("input[type=checkbox]")?.click();
    if (key === "?") document.querySelector("dialog[data-keys]")?.showModal();
  }

  document.addEventListener("keydown", (event) => {
    const search = document.querySelector("[data-search]");
    if (event.key === "Escape") {
      const open = all("details.menu[open]").pop();
      if (open) close(open);
    } else if (search && event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      search.select();
    } else if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) {
      return;
    } else if (search && event.key === "/") {
      event.preventDefault();
      search.select();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest("[data-row]")) {
      event.preventDefault();
      step(event.key === "ArrowDown" ? 1 : -1);
    } else {
      list(event.key);
    }
  });

  document.addEventListener("click", (event) => {
    all("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.dialog).showModal();
    }
    const closer = event.target.closest("[data-close]");
    const dialog = closer?.closest("dialog[open]");
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.copied, "success"));
  });

  document.addEventListener("change", (event) => {
    const { all: name, fills } = event.target.dataset;
    if (name) all(`input[name="${name}"]`).forEach((box) => (box.checked = event.target.checked));
    // The words of a choice, where nothing of one's own was written.
    const field = fills && document.getElementById(fills);
    const texts = fills && [...event.target.options].map((option) => option.dataset.text ?? "");
    if (field && (field.value === "" || texts.includes(field.value))) field.value = texts[event.target.selectedIndex];
  });

  // A link that plays a button also answers the space bar.
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.matches("a[role=button]")) event.target.click();
  });

  const toasts = document.getElementById("toasts");

  function arm(toast) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", toasts.dataset.close);
    button.addEventListener("click", () => toast.remove());
    toast.append(button);
    if (!toast.hasAttribute("data-stay")) setTimeout(() => toast.remove(), 8000);
  }

  function say(text, level) {
    const toast = document.createElement("li");
    toast.className = `toast ${level}`;
    toast.toggleAttribute("data-stay", level === "error");
    const words = document.createElement("span");
    words.textContent = text;
    toast.append(words);
    toasts.append(toast);
    arm(toast);
  }

  // A row of days tells of the one under the pointer, or that the arrow keys have come to.
  function walk(row) {
    const range = row.querySelector("input");
    const output = row.querySelector("output");
    const words = JSON.parse(row.dataset.words);
    const form = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" });
    const tell = () => {
      const day = new Date(`${row.dataset.first}T00:00:00Z`);
      day.setUTCDate(day.getUTCDate() + Number(range.value));
      output.textContent = `${form.format(day)}: ${words[row.dataset.days[range.value]]}`;
      range.setAttribute("aria-valuetext", output.textContent);
    };
    range.addEventListener("input", tell);
    range.addEventListener("pointermove", (event) => {
      const box = range.getBoundingClientRect();
      range.value = Math.floor(((event.clientX - box.left) / box.width) * row.dataset.days.length);
      tell();
    });
    row.querySelector("svg").setAttribute("aria-hidden", "true");
    range.hidden = output.hidden = false;
    tell();
  }

  function prepare(within) {
    all("[data-days]", within).forEach(walk);
    all("[data-all], [data-with-all]", within).forEach((element) => (element.hidden = false));
    if (navigator.clipboard) all("[data-copy]", within).forEach((button) => (button.hidden = false));
    all("[data-focus]", within).forEach((element) => element.focus());
  }

  all(".toast").forEach(arm);
  prepare(document);
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  // Middleware sends a fragment's messages in a header, and errors in their one JSON shape.
  document.addEventListener("kept:toasts", (event) => event.detail.value.forEach((toast) => say(toast.text, toast.level)));
  document.addEventListener("htmx:responseError", (event) => {
    let error;
    try {
      error = JSON.parse(event.detail.xhr.responseText);
    } catch {
      error = { message: `${event.detail.xhr.status} ${event.detail.xhr.statusText}` };
    }
    say([error.message, error.cure].filter(Boolean).join(" "), "error");
  });
})();
