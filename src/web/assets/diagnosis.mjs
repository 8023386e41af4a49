// What a person hands on who asks for help: one text with what runs, what is heard, and what is wrong.

import { age, ahead, clock, day, detail, happened, hms, num, put, size, t, title, word, words } from './format.mjs';

const $ = (id) => document.getElementById(id);
/** Entries of the ledger in it. */
const ENTRIES = 10;

export class Diagnosis {
  /** @param {{live: any, data: any, view: any, displays: any[], plant: any}} told  what the page was told last */
  constructor(told) {
    this.told = told;
    $('diagnosis-copy').addEventListener('click', () => this.copy());
  }

  /** There is something to copy. */
  offer() {
    $('diagnosis-copy').disabled = !this.told.view;
  }

  async copy() {
    const text = this.text();
    try {
      // Without a secure connection a browser has no clipboard for pages.
      await navigator.clipboard.writeText(text);
      put('diagnosis-told', t('diagnosis_copied'));
      $('diagnosis').hidden = true;
    } catch {
      $('diagnosis').hidden = false;
      $('diagnosis-text').value = text;
      $('diagnosis-text').focus();
      $('diagnosis-text').select();
      put('diagnosis-told', t('diagnosis_by_hand'));
    }
  }

  text() {
    const { live, data, view, displays, plant } = this.told;
    const list = (head, lines) => [`${head}:`, ...(lines.length > 0 ? lines : [t('diagnosis_none')]).map((line) => `  ${line}`)];
    const { polled } = data;
    const now = live.now() ?? view.at_ms;
    return [
      `${t('diagnosis_head', { line: view.line })} · ${new Date(now).toISOString()} · ${day(now)} ${clock(now)}`,
      t('diagnosis_build', { version: data.version, build: document.body.dataset.build, hash: data.config_sha256 }),
      t('diagnosis_state', { state: words(`state.${view.state.word}`), feed: words(`feed.${view.feed}`), done: num(polled.done), missed: num(polled.missed), dropped: num(polled.dropped) }),
      ...list(t('links_up'), view.stations.map((station) => device(station, data.polls))),
      ...list(t('diagnosis_bad'), data.tags.filter(({ doubt }) => doubt !== '').map(badTag)),
      ...list(t('clocks'), [...data.clocks.map((one) => `${one.station}: ${ahead(one.ahead_ms)}`), `${t('clock_screen')}: ${ahead(live.ahead())}`]),
      ...list(t('displays'), displays.map((one) => [one.name || t('display_unnamed'), one.page, one.line, word('display', one.state), t('display_ago', { age: age(one.painted_ago_ms) }), one.old_build ? t('display_build_old') : ''].filter(Boolean).join(' · '))),
      ...list(t('store'), [t('diagnosis_store', { bytes: size(data.store.bytes), raw: size(data.store.raw_bytes), free: size(data.store.free_bytes), queued: num(data.store.queued) }),
        ...(data.store.failing ? [t('store_failing')] : []), ...(data.store.shedding ? [t('store_shedding', { free: size(data.store.free_bytes) })] : [])]),
      ...list(t('plant_database'), forwarding(plant)),
      ...list(t('diagnosis_latest'), data.entries.slice(0, ENTRIES).map((event) => [`${day(event.at_ms)} ${clock(event.at_ms)}`, word('kind', event.kind), event.tag ?? event.station ?? '', happened(event), detail(event)].filter(Boolean).join(' · '))),
    ].join('\n');
  }
}

function device(station, polls) {
  const missed = polls.filter((poll) => poll.station === station.id).flatMap((poll) => poll.missed);
  const link = station.up ? t('diagnosis_up', { age: age(station.heard_ago_ms ?? 0) }) : t('diagnosis_down', { time: hms(station.state.for_ms), why: word('miss', station.reason) });
  const why = missed.map(({ reason, n }) => `${word('miss', reason)} ${num(n)}`).join(', ');
  return `${station.id} ${title(station.title)} (${station.protocol}): ${[link, why ? t('diagnosis_missed', { why }) : ''].filter(Boolean).join(' · ')}`;
}

function badTag({ tag, doubt, address, map, read }) {
  return [tag, word('doubt', doubt), address, map, read ? age(read.age_ms) : ''].filter(Boolean).join(' · ');
}

function forwarding(plant) {
  if (!plant?.database) return [t('no_plant_database')];
  const { database, total } = plant;
  return [[word('forward', database.state), database.trouble ? title({ en: database.trouble, zh: database.trouble_zh }) : '', t('plant_note', { waiting: num(total.waiting), lag: age(total.lag_ms), dead: num(total.dead_letters) })].filter(Boolean).join(' · ')];
}
