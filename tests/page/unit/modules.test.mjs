// What holds for all modules of the page's engine: there is no build step, so each import is a file that the browser asks
// for; machines have no clock; and nothing reaches out.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

import { modules } from './support.mjs';

/** Every script of the page, by its name below assets/monitoring. */
const scripts = readdirSync(modules, { recursive: true }).map(String).filter((name) => name.endsWith('.js'));
const source = (name) => readFileSync(new URL(name, modules), 'utf8');
const importsOf = (name) => [...source(name).matchAll(/^(?:import|export)\b[^;]*?from\s+'([^']+)';/gms)].map(([, from]) => from);

test('every import is a file of the page', () => {
  assert.ok(scripts.length >= 20, `${scripts}`);
  for (const name of scripts) {
    for (const from of importsOf(name)) {
      assert.match(from, /^\.\.?\/[\w/.]+\.js$/, name);
      const path = new URL(from, new URL(name, modules)).href.slice(modules.href.length);
      assert.ok(scripts.includes(path), `${name} imports ${from}`);
    }
  }
});

test('what a policy without inline code and eval forbids is not tried', () => {
  for (const name of scripts) assert.doesNotMatch(source(name), /\beval\(|new Function\(|innerHTML|document\.write|\.cookie\b/, name);
});

test('machines have no clock, no timer and no dice: they are handed in', () => {
  const machines = scripts.filter((name) => /^(link|sound)\/|^transcript\.js$/.test(name) && !/worklet|ticket/.test(name));
  assert.ok(machines.length >= 15);
  for (const name of machines) {
    assert.doesNotMatch(source(name), /performance\.now|Date\.now|setTimeout|setInterval|Math\.random|\bfetch\(|WebSocket\(/, name);
  }
});

test('the sound knows no connection, the connection no sound, and neither the page', () => {
  const reach = (name, seen = new Set()) => {
    for (const from of importsOf(name)) {
      const path = new URL(from, new URL(name, modules)).href.slice(modules.href.length);
      if (!seen.has(path)) reach(path, seen.add(path));
    }
    return [...seen];
  };
  assert.ok(reach('link.js').every((name) => name.startsWith('link/')), `${reach('link.js')}`);
  for (const name of ['sound.js', 'sound/worklet.js']) assert.ok(reach(name).every((other) => other.startsWith('sound/')));
});
