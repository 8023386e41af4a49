//! Who may what, and until when.

use super::*;

#[test]
fn an_admin_reads_and_keeps_users_and_judges_nothing() {
    let of = |role: Role| Right::ALL.map(|right| role.may(right));
    assert_eq!(of(Role::Viewer), [true, false, false, false, false]);
    assert_eq!(of(Role::Operator), [true, true, false, false, false]);
    assert_eq!(of(Role::Quality), [true, true, true, false, true]);
    assert_eq!(of(Role::Admin), [true, false, false, true, true]);
    for right in Right::ALL {
        assert!(right.least().may(right), "{right:?}");
    }
    for role in Role::ALL {
        assert_eq!(Role::from_word(role.word()), Some(role));
    }
    assert_eq!(Role::from_word("root"), None);
}

#[test]
fn names_are_plain_and_names_on_records_are_told_apart() {
    assert_eq!(account_name(" Li.Wei ").as_deref(), Ok("li.wei"));
    let long = "x".repeat(41);
    for bad in ["", " ", ".li", "li wei", "李伟", "li\u{0}", long.as_str()] {
        assert!(account_name(bad).is_err(), "{bad:?}");
    }
    assert_eq!(printed_name(" Li \t Wei ").as_deref(), Ok("Li Wei"));
    // Two names that look alike are one, or one of them is no name.
    for hidden in [
        "Li\u{200b} Wei",
        "\u{202e}ieW iL",
        "Li\u{ad}Wei",
        "Li Wei\u{feff}",
        "\u{3164}",
        "Li Wei\u{7}",
    ] {
        assert!(
            printed_name(hidden).is_err_and(|why| why.0.contains("cannot be seen")),
            "{hidden:?}"
        );
    }
    for reserved in ["system", " SYSTEM", "系统", "unknown"] {
        assert!(is_free(reserved).is_err(), "{reserved:?}");
    }
    assert!(
        ["Li Wei", "李伟", "Zoë O’Hara", "system engineer"]
            .iter()
            .all(|name| is_free(name).is_ok() && is_plain(name).is_ok())
    );
    assert_eq!(printed_name("李伟").as_deref(), Ok("李伟"));
    assert!(printed_name("\u{7}").is_err() && printed_name(&"x".repeat(81)).is_err());
    assert_eq!(printed_key("LI  Wei"), printed_key("li wei"));
}

#[test]
fn a_password_is_long_and_not_the_name() {
    let good = |password| password_is_good(password, "li.wei-0123", "Li Wei of L1");
    assert_eq!(good("correct horse"), Ok(()));
    // Characters, not bytes.
    assert_eq!(good("药品生产质量管理规范好"), Ok(()));
    let long = "x".repeat(1_025);
    for bad in ["", "ninechars", "药品生产质量管理", "LI.WEI-0123", "li wei of l1", long.as_str()]
    {
        assert!(good(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_is_said_of_a_session_is_not_its_token() {
    let account = Account {
        name: "li".into(),
        printed: "Li Wei".into(),
        role: Role::Viewer,
        must_change: false,
    };
    let said = format!("{:?}", Begun { account, token: "00ff00ff".to_owned() });
    assert!(said.contains("Li Wei") && !said.contains("00ff"), "{said}");
}

#[test]
fn a_session_ends_when_it_rests_when_it_is_old_and_when_the_clock_goes_back() {
    let limits = SessionLimits::default();
    let (begun, minute) = (1_000_000 * MINUTE_US, MINUTE_US);
    assert!(limits.lives(begun, begun, begun + 15 * minute - 1));
    assert!(!limits.lives(begun, begun, begun + 15 * minute));
    let end = begun + 12 * 60 * minute;
    assert!(limits.lives(begun, end - 1, end - 1) && !limits.lives(begun, end - 1, end));
    assert!(limits.lives(begun, begun, begun - minute), "a little is no setting back");
    assert!(!limits.lives(begun, begun, begun - minute - 1));
}

#[test]
fn five_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour() {
    let (mut tries, now) = (Tries::default(), 7 * MINUTE_US);
    for n in 1..TRIES {
        let (after, locked) = tries.after_wrong(now);
        assert!(!locked && !after.is_locked(now), "{n}");
        tries = after;
    }
    let (tries, locked) = tries.after_wrong(now);
    assert!(locked && tries.is_locked(now) && tries.is_locked(now + LOCKED_US - 1));
    assert!(!tries.is_locked(now + LOCKED_US));
    // Set by a clock that was an hour ahead: nobody is locked out for an hour by that.
    assert!(!tries.is_locked(now - 60 * MINUTE_US));
    // After a lock it takes as many again.
    assert!(!tries.after_wrong(now + LOCKED_US).1);
}
