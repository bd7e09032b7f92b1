// The page of `lightning_cli serve`. All texts of the server are set as text, never as HTML.
"use strict";
const MOST_BARS = 5, NEAREST = 6, SMALL = 100, AGAIN = 2000; // bars, images, pixels, milliseconds
const at = (id) => document.getElementById(id);
const texts = JSON.parse(at("texts").textContent);
const percent = (share) => texts.percent.replace("{}", (100 * share).toFixed(1));
let newest = 0; // number of the image that was dropped last
let shown = null; // its address

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function bar(label, share) {
  const row = element("div", undefined, "bars"), name = element("span", label);
  const cell = element("div"), line = element("div", undefined, "bar"), filled = element("i");
  name.title = label;
  filled.style.width = `calc((100% - 64px) * ${share})`;
  line.append(filled, element("em", percent(share)));
  cell.append(line);
  row.append(name, cell);
  return row;
}

function neighbour(image) {
  const figure = element("figure"), picture = element("img"), caption = element("figcaption");
  if (image.thumbnail) picture.src = image.thumbnail;
  picture.alt = figure.title = image.name;
  picture.onload = () => picture.classList.toggle("small", picture.naturalWidth < SMALL);
  const similarity = texts.similarity.replace("{value}", image.similarity.toFixed(2));
  caption.append(element("b", image.label ?? texts.no_label), similarity, element("br"), image.name);
  figure.append(picture, caption);
  return figure;
}

function showNearest(nearest) {
  at("note").hidden = nearest.images.length > 0;
  at("note").textContent = nearest.pending ? texts.pending : nearest.note;
  at("nearest").replaceChildren(...nearest.images.map(neighbour));
}

function showAnswer(answer) {
  const sorted = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  at("label").textContent = answer.label;
  at("confidence").textContent = texts.confidence.replace("{value}", percent(answer.probability));
  if (answer.unknown) at("confidence").textContent += ` ${texts.unknown}`;
  at("bars").replaceChildren(...sorted.slice(0, MOST_BARS).map(([name, share]) => bar(name, share)));
  at("evidence").textContent = texts.grad_cam.replace("{label}", answer.label);
  at("overlay").hidden = !answer.grad_cam;
  if (answer.grad_cam) at("overlay").src = answer.grad_cam;
  at("no-overlay").hidden = !answer.grad_cam_note;
  at("no-overlay").textContent = answer.grad_cam_note;
  showNearest(answer.nearest);
}

function showError(text) {
  at("error").hidden = !text;
  at("error").textContent = text;
  if (text) at("result").hidden = true;
}

async function ask(file) {
  const response = await fetch(`/predict?grad_cam=true&nearest=${NEAREST}`, {
    method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function classify(file, number = ++newest) {
  at("drop").classList.add("busy");
  try {
    const answer = await ask(file);
    if (number !== newest) return;
    showError("");
    if (shown) URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(file);
    at("image").src = shown;
    showAnswer(answer);
    at("result").hidden = false;
    if (answer.nearest.pending) setTimeout(() => number === newest && classify(file, number), AGAIN);
  } catch (error) {
    if (number === newest) showError(error instanceof TypeError ? texts.failed : error.message);
  } finally {
    if (number === newest) at("drop").classList.remove("busy");
  }
}

for (const id of ["image", "overlay"]) {
  at(id).onload = () => at(id).classList.toggle("small", at(id).naturalWidth < SMALL);
}
at("file").onchange = () => {
  if (at("file").files.length) classify(at("file").files[0]);
  at("file").value = ""; // so that the same file can be chosen again
};
document.ondragover = (event) => { event.preventDefault(); at("drop").classList.add("over-it"); };
document.ondragleave = () => at("drop").classList.remove("over-it");
document.ondrop = (event) => {
  event.preventDefault();
  at("drop").classList.remove("over-it");
  if (event.dataTransfer.files.length) classify(event.dataTransfer.files[0]);
};
document.onpaste = (event) => {
  if (event.clipboardData.files.length) classify(event.clipboardData.files[0]);
};
at("command").textContent =
  `curl --data-binary @image.jpg '${location.origin}/predict?grad_cam=true&nearest=${NEAREST}'`;
