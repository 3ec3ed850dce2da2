// Elements, made and found. Text is always set as text: nothing that comes from a call becomes markup.

/** The element of this id. */
export const $ = (id) => document.getElementById(id);

/** Makes `<tag>` with attributes (`class`, `aria-…`, …) and children, which are elements or text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets text only where it is another: what a screen reader is at does not move under it. */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that keeps the focus while there is nothing for it to do. */
export function enable(button, can) {
  button.setAttribute('aria-disabled', String(!can));
}

/** Whether it can do something now. */
export const enabled = (button) => button.getAttribute('aria-disabled') !== 'true';

/** Whether somebody is typing there, so that keys are letters. */
export function isTyping(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches('textarea, select, input:not([type=checkbox]):not([type=range])'));
}

/** Calls `work` once before the next picture, however often it is asked to; without pictures a little later. */
export function once(work) {
  let waits = false;
  const run = () => {
    if (!waits) return;
    waits = false;
    work();
  };
  return () => {
    if (waits) return;
    waits = true;
    // A page that is not shown has no pictures, and its state is to be right all the same.
    if (document.hidden) setTimeout(run, 100);
    else requestAnimationFrame(run);
  };
}
