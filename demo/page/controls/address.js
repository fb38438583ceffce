// The address holds the settings: a link sets the page up, and what is set can be sent as a link.

import { fromQuery, toQuery } from "../settings.js";

/**
 * Set what the address asks for, if this page may; then keep the address as the settings are. Resolves to what went
 * wrong, or "". What holds already is not sent: set again in the middle of a run, it would hold after it too.
 */
export async function followAddress(room) {
  const asked = Object.entries(fromQuery(location.search)).filter(([name, value]) => value !== room.state?.settings[name]);
  const isSent = room.teacher && asked.length > 0;
  const problem = isSent ? await room.set(Object.fromEntries(asked)).then(() => "", (error) => error.message) : "";
  room.onState((state) => {
    if (!state.settings) return;
    const query = toQuery(location.search, state.settings);
    const address = location.pathname + (query && `?${query}`) + location.hash;
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  });
  return problem;
}
