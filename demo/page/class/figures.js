// Figures as people read them: whole, or of three digits at most, and a unit; a dash for what is not known. Only words here.

export const UNKNOWN = "–";

export function number(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (value === 0) return "0";
  if (Math.abs(value) < 100) return String(Number(value.toPrecision(3)));
  return Math.round(value).toLocaleString("en");
}

export function milliseconds(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) < 1000 ? `${number(value)} ms` : `${number(value / 1000)} s`;
}

export function bytes(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (value < 1000) return `${number(value)} B`;
  return value < 1e6 ? `${number(value / 1000)} kB` : `${number(value / 1e6)} MB`;
}

export function share(value) {
  return value === null || value === undefined ? UNKNOWN : `${Math.round(value * 100)} %`;
}
