// Send one message to all three, and stamp when. What is refused is said.

import { publish } from "../lanes/publish.js";

/** Join the form to `races`; whoever sends is called `name` at first. */
export function makeRaceForm(form, races, now, name) {
  form.elements.sender.value = name;
  const problem = form.querySelector(".problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { sender, text } = form.elements;
    const race = races.begin(now());
    try {
      race.message = await publish(sender.value, text.value);
      problem.textContent = "";
    } catch (error) {
      races.drop(race);
      problem.textContent = `Not sent: ${error.message}`;
    }
    text.select();
  });
}
