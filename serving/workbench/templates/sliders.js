// Figures that move along with sliders: the page is asked for other values, and the part that they change is shown.
// Without this script the sliders are not there, and a button does the same.
"use strict";
const part = "worked-out";
const sliders = [...document.querySelectorAll("input[type=range]")];
let later = 0;
let asked = new AbortController();

async function workOut() {
  asked.abort();
  asked = new AbortController();
  const form = document.getElementById("limits");
  const values = [...new FormData(form)].filter(([name]) => !["csrf", "version"].includes(name));
  try {
    const answer = await fetch(`${location.pathname}?${new URLSearchParams(values)}`, { signal: asked.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById(part);
    const ended = document.getElementById("ended");
    ended.hidden = !(answer.redirected && new URL(answer.url).pathname === "/sign-in");
    if (!ended.hidden) {
      ended.querySelector("a").href = answer.url; // which leads back to what was tried
    } else if (now) {
      const problem = page.querySelector(`main p.problem[role=alert]:not(#ended)`);
      if (problem) now.prepend(problem);
      document.getElementById(part).replaceWith(now);
    } else {
      document.getElementById(part).replaceChildren(...page.querySelector("main").children);
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error; // another value was asked for meanwhile
  }
}

for (const slider of sliders) {
  const field = document.getElementById(slider.dataset.of);
  slider.hidden = false;
  slider.addEventListener("input", () => {
    field.value = slider.value;
    clearTimeout(later);
    later = setTimeout(workOut, 150);
  });
  field.addEventListener("input", () => {
    if (field.value) slider.value = field.value;
  });
}
