// Send one message to all three, and stamp when. What is refused is said.

import { makePublisher } from "../lanes/publish.js";

const OVER = "It had arrived the first time.";

/** Join the form to `races`; whoever sends is called `name` at first. */
export function makeRaceForm(form, races, now, name) {
  form.elements.sender.value = name;
  const problem = form.querySelector(".problem");
  const publisher = makePublisher();
  form.addEventListener("input", publisher.forget);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { sender, text } = form.elements;
    const race = races.begin(now());
    try {
      race.message = await publisher.publish(sender.value, text.value);
      problem.textContent = races.isOver(race) ? OVER : "";
      if (problem.textContent) races.drop(race);
    } catch (error) {
      races.drop(race);
      problem.textContent = `Not sent: ${error.message}`;
    }
    text.select();
  });
}
