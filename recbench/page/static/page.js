"use strict";

// Sends forms and shows what comes back in place, so that focus and open parts stay as they are.
// Without this file every form works as well, and loads the page anew.

const PARTS = ["summary", "search-view", "found", "next", "recommended", "rated", "genres", "profile"];
const PAUSE = 250; // milliseconds after a key, before the title typed so far is searched
const byId = (id) => document.getElementById(id);

let queue = Promise.resolve(); // one request after another: none is lost, none overtakes
let searches = 0;

function ask(method, url, body) {
  return new Promise((answered, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "document";
    request.onload = () => answered(request);
    request.onerror = () => failed(new Error("No answer. Is recommend.py still running?"));
    request.send(body);
  });
}

function send(method, url, body) {
  queue = queue.then(async () => {
    document.body.setAttribute("aria-busy", "true");
    try {
      show(await ask(method, url, body));
    } catch (error) {
      tell([error.message], true);
    }
    document.body.removeAttribute("aria-busy");
  });
}

function tell(lines, wrong) {
  const message = byId("message"); // the element stays: screen readers tell of what changes in it
  message.classList.toggle("wrong", wrong);
  message.replaceChildren(...lines.map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
}

function show(answer) {
  const page = answer.response;
  const lines = page ? [...page.querySelectorAll("#message p")].map((line) => line.textContent) : [];
  if (answer.status >= 400 || !page) {
    tell(lines.length ? lines : [`Not done (${answer.status}).`], true);
    return;
  }
  const focus = placeOf(document.activeElement);
  for (const id of PARTS) {
    const part = document.adoptNode(page.getElementById(id));
    for (const details of part.querySelectorAll("details")) {
      if (byId(details.id)) details.open = byId(details.id).open;
    }
    byId(id).replaceWith(part);
  }
  const address = new URL(answer.responseURL);
  address.searchParams.delete("message");
  history.replaceState(null, "", address);
  tell(lines, false);
  if (focus && !document.contains(focus.element)) refocus(focus);
}

// Where an element is: which, else the how-manieth thing of which list, else in which section.
function placeOf(element) {
  if (!element || element === document.body) return null;
  const list = element.closest("[data-items]");
  const item = list && [...list.children].findIndex((child) => child.contains(element));
  const section = element.closest("section");
  return { element, id: element.id, list: list && list.id, item, section: section && section.id };
}

function refocus({ id, list, item, section }) {
  const items = list && byId(list) ? byId(list).children : [];
  const near = items[Math.min(item, items.length - 1)];
  const first = near && near.querySelector("summary, input:not([type=hidden]), button");
  const heading = section && byId(section) && byId(section).querySelector("h2");
  const target = (id && byId(id)) || first || heading;
  if (target) target.focus();
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  event.preventDefault();
  const fields = new FormData(form, submitter);
  if (form.method === "get") {
    const address = new URL(form.action);
    address.search = new URLSearchParams([...fields].filter(([, value]) => value !== ""));
    searches += 1; // a search that still waits is in this
    send("GET", address);
    return;
  }
  const file = form.querySelector("[data-most]");
  if (file && file.files[0].size > Number(file.dataset.most)) {
    const most = Number(file.dataset.most).toLocaleString("en");
    tell([`The file is too large. Expected ${most} bytes at most.`], true);
    return;
  }
  const own = submitter && submitter.hasAttribute("formaction");
  send("POST", own ? submitter.formAction : form.action, fields);
});

// A click on a star rates. With keys, stars are chosen first: the arrow keys pass the others.
document.addEventListener("click", (event) => {
  const label = event.target.closest(".stars label");
  if (!label || event.target.matches("input")) return;
  event.preventDefault();
  const input = label.querySelector("input");
  input.checked = true;
  input.focus();
  input.form.requestSubmit();
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-live]");
  if (!form) return;
  const search = ++searches;
  setTimeout(() => search === searches && form.requestSubmit(), PAUSE);
});

// Another tab, or recommend.py in a terminal, may have changed the profile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") send("GET", location.href);
});
