use super::*;
use crate::digest::sha256;

const UUID: &str = "11111111-2222-4333-8444-555555555555";

/// A chain of so many entries.
fn chain(n: i64) -> Vec<Entry> {
    let mut prev = chain::genesis(UUID);
    (1..=n)
        .map(|number| {
            let what = if number == 1 { What::JournalBegun } else { What::StopRevised };
            let mut entry = Entry {
                number,
                at_us: number * 1_000_000,
                local: jiff::Timestamp::from_second(number).unwrap().to_string(),
                account: "li".into(),
                name: "李明".into(),
                from: "10.0.0.7".into(),
                what: what.word().into(),
                subject: format!("L1 stop {number}"),
                old: String::new(),
                new: if number == 1 { UUID.into() } else { "jam".into() },
                reason: "seen".into(),
                prev_hash: prev.clone(),
                hash: String::new(),
            };
            entry.hash = chain::hash(&entry, &prev);
            prev = entry.hash.clone();
            entry
        })
        .collect()
}

fn look(entries: &[Entry]) -> Vec<Finding> {
    let mut chain = Chain::default();
    entries.iter().flat_map(|entry| chain.check(entry)).collect()
}

#[test]
fn the_encoding_is_the_one_that_is_written_down() {
    let entry = &chain(1)[0];
    let genesis = sha256(format!("15:capline-audit/1,36:{UUID},"));
    let text = format!(
        "15:capline-audit/1,1:1,7:1000000,20:1970-01-01T00:00:01Z,2:li,6:李明,8:10.0.0.7,13:journal_begun,\
         9:L1 stop 1,0:,36:{UUID},4:seen,64:{genesis},"
    );
    assert_eq!((&entry.prev_hash, &entry.hash), (&genesis, &sha256(text)));
}

#[test]
fn texts_that_move_from_one_field_to_the_next_are_another_entry() {
    let list = [["ab", "c"], ["a", "bc"], ["", "abc"], ["abc", ""]].map(chain::netstrings);
    for (i, one) in list.iter().enumerate() {
        assert_eq!(list.iter().position(|other| other == one), Some(i), "{one}");
    }
}

#[test]
fn a_chain_that_nobody_touched_is_sound() {
    assert_eq!(look(&chain(50)), []);
}

#[test]
fn what_is_missing_changed_or_moved_is_found_where_it_is() {
    let of = |number, fault| Finding { number, fault };
    let mut gone = chain(9);
    gone.drain(3..5);
    assert_eq!(look(&gone), [of(4, Fault::Missing(5))]);
    let mut first = chain(9);
    first.remove(0);
    assert_eq!(look(&first)[0], of(1, Fault::Missing(1)));
    let mut changed = chain(9);
    changed[4].reason = "unseen".into();
    assert_eq!(look(&changed), [of(5, Fault::Content)]);
    let mut local = chain(9);
    local[4].local = "1970-01-01T00:00:09Z".into();
    assert_eq!(look(&local), [of(5, Fault::Field("at_us or local"))]);
    let mut link = chain(9);
    link[4].prev_hash = sha256("other");
    assert_eq!(look(&link), [of(5, Fault::Field("prev_hash"))]);
    let mut own = chain(9);
    own[4].hash = sha256("other");
    assert_eq!(look(&own), [of(5, Fault::Content)]);
    let mut word = chain(9);
    word[4].what = "nothing".into();
    assert_eq!(look(&word), [of(5, Fault::Field("what"))]);
    // Put in with a hash of its own, and the rest numbered on: the next one does not follow.
    let mut more = chain(9);
    let mut foreign = more[3].clone();
    foreign.number = 5;
    foreign.prev_hash = more[3].hash.clone();
    foreign.hash = chain::hash(&foreign, &foreign.prev_hash);
    for entry in &mut more[4..] {
        entry.number += 1;
    }
    more.insert(4, foreign);
    assert!(!look(&more).is_empty());
    let mut swapped = chain(9);
    swapped.swap(3, 6);
    assert!(!look(&swapped).is_empty());
}

#[test]
fn a_chain_follows_the_identity_of_its_journal() {
    let mut entries = chain(2);
    entries[1].what = What::JournalRestored.word().into();
    entries[1].old = UUID.into();
    entries[1].new = "another".into();
    entries[1].hash = chain::hash(&entries[1], &entries[0].hash);
    let mut chain = Chain::default();
    assert!(entries.iter().all(|entry| chain.check(entry).is_empty()));
    assert_eq!(chain.uuid(), Some("another"));
}

#[test]
fn a_head_is_read_as_it_is_shown() {
    let head = Head { number: 17, hash: sha256("x") };
    assert_eq!(Head::parse(&head.to_string()), Some(head));
    for text in [
        "",
        "17",
        "17 abc",
        "x abc",
        "0 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ] {
        assert_eq!(Head::parse(text), None, "{text}");
    }
}

#[test]
fn words_stand_for_one_thing_each() {
    for what in What::ALL {
        assert_eq!(What::from_word(what.word()), Some(*what));
    }
    for meaning in Meaning::ALL {
        assert_eq!(Meaning::from_word(meaning.word()), Some(*meaning));
    }
}

/// A text with one byte changed that stays text.
fn flipped(text: &str, at: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return "x".to_owned();
    }
    let at = at % chars.len();
    chars[at] = if chars[at] == '0' { '1' } else { '0' };
    chars.into_iter().collect()
}

/// The text fields of an entry.
fn fields(entry: &mut Entry) -> [&mut String; 11] {
    [
        &mut entry.local,
        &mut entry.account,
        &mut entry.name,
        &mut entry.from,
        &mut entry.what,
        &mut entry.subject,
        &mut entry.old,
        &mut entry.new,
        &mut entry.reason,
        &mut entry.prev_hash,
        &mut entry.hash,
    ]
}

#[test]
fn each_character_of_each_field_counts() {
    let sound = chain(12);
    let mut n = 0;
    for row in [0, 1, 5, 11] {
        let lengths = fields(&mut sound[row].clone()).map(|field| field.chars().count().max(1));
        for (field, length) in lengths.into_iter().enumerate() {
            for at in 0..length {
                let mut entries = sound.clone();
                let text = &mut *fields(&mut entries[row])[field];
                *text = flipped(text, at);
                let found = look(&entries);
                let number = sound[row].number;
                assert!(
                    found.iter().any(|f| f.number == number),
                    "{number} field {field} at {at}: {found:?}"
                );
                n += 1;
            }
        }
        for change in [1, -1, 1 << 40] {
            let mut entries = sound.clone();
            entries[row].at_us += change;
            assert_eq!(look(&entries)[0].number, sound[row].number);
            n += 1;
        }
    }
    assert!(n > 800, "{n} positions");
}
