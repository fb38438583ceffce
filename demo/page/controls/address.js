// The address holds the settings: a link sets the page up, and what is set can be sent as a link.

import { fromQuery, toQuery } from "../settings.js";

/** Set what the address asks for, if this page may; then keep the address as the settings are. */
export async function followAddress(room) {
  const asked = fromQuery(location.search);
  if (room.teacher && Object.keys(asked).length) await room.set(asked).catch(() => {});
  room.onState((state) => {
    if (!state.settings) return;
    const query = toQuery(location.search, state.settings);
    const address = location.pathname + (query && `?${query}`) + location.hash;
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  });
}
