"use strict";

// The page also works without this file: choose stars, then press the button beside them.

// A click on a star rates. Keys only choose stars, since arrow keys pass over other stars.
document.addEventListener("click", (event) => {
  const label = event.target.closest(".stars label");
  if (!label || event.target.matches("input")) return;
  event.preventDefault();
  const input = label.querySelector("input");
  input.checked = true;
  input.form.requestSubmit();
});

// A file that the server would refuse is not sent.
document.addEventListener("change", ({ target }) => {
  if (target.type !== "file" || !target.files.length) return;
  const most = Number(target.dataset.most);
  const wrong = target.files[0].size > most;
  target.setCustomValidity(wrong ? `Too large. Expected ${most.toLocaleString("en")} bytes at most.` : "");
});
