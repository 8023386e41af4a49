use super::*;

const S: i64 = SECOND_US;

fn ack(screen: &str, load: &str, n: u64, shown: Visibility) -> Ack {
    Ack {
        screen: screen.to_owned(),
        load: load.to_owned(),
        n,
        name: "Wall 1".to_owned(),
        page: "/wall/L1".to_owned(),
        line: "L1".to_owned(),
        seq: Some(7),
        painted_ago_ms: 200,
        build: assets::build().to_owned(),
        shown,
    }
}

fn state(displays: &Displays, now_us: i64) -> &'static str {
    displays.list(now_us).first().map_or("none", |view| view.state)
}

/// Shows: SCR-10
#[test]
fn a_display_is_live_as_long_as_it_paints() {
    let displays = Displays::default();
    displays.take(ack("a", "x", 1, Visibility::Visible), 0).unwrap();
    assert_eq!((state(&displays, 0), state(&displays, 10 * S)), ("live", "live"));
    assert_eq!(state(&displays, 11 * S), "frozen");
    assert_eq!(displays.list(20 * S)[0].painted_ago_ms, 20_200);
    // A page that still speaks but no longer paints is frozen too.
    let stuck = Ack { painted_ago_ms: 60_000, ..ack("a", "x", 2, Visibility::Visible) };
    displays.take(stuck, 12 * S).unwrap();
    assert_eq!(state(&displays, 12 * S), "frozen");
    displays.take(ack("a", "x", 3, Visibility::Visible), 13 * S).unwrap();
    assert_eq!(state(&displays, 13 * S), "live");
}

#[test]
fn a_page_that_is_closed_is_left_in_whatever_order_that_arrives() {
    let orders = [
        [(2, Visibility::Hidden), (3, Visibility::Left)],
        [(3, Visibility::Left), (2, Visibility::Hidden)],
    ];
    for order in orders {
        let displays = Displays::default();
        displays.take(ack("a", "x", 1, Visibility::Visible), 0).unwrap();
        for (n, shown) in order {
            displays.take(ack("a", "x", n, shown), S).unwrap();
        }
        assert_eq!(state(&displays, S), "left", "{order:?}");
        // And it stays so, however long ago.
        assert_eq!(state(&displays, 3_600 * S), "left");
    }
}

#[test]
fn a_hidden_page_that_comes_back_is_live_and_a_left_one_that_is_loaded_too() {
    let displays = Displays::default();
    for (n, shown, word) in [
        (1, Visibility::Visible, "live"),
        (2, Visibility::Hidden, "hidden"),
        (3, Visibility::Visible, "live"),
        (4, Visibility::Left, "left"),
        // Back from the cache of the browser.
        (5, Visibility::Visible, "live"),
    ] {
        displays.take(ack("a", "x", n, shown), S).unwrap();
        assert_eq!(state(&displays, S), word, "{n}");
    }
    // Loaded anew; then the farewell of the load before arrives.
    displays.take(ack("a", "y", 1, Visibility::Visible), 2 * S).unwrap();
    displays.take(ack("a", "x", 6, Visibility::Left), 2 * S).unwrap();
    assert_eq!(state(&displays, 2 * S), "live");
    assert_eq!(displays.list(2 * S).len(), 1);
}

#[test]
fn the_list_is_bounded_and_what_is_seen_gives_way_to_nobody() {
    let displays = Displays::default();
    for i in 0..DISPLAYS {
        let shown = if i == 7 { Visibility::Left } else { Visibility::Visible };
        displays.take(ack(&format!("s{i}"), "x", 1, shown), 0).unwrap();
    }
    displays.take(ack("new", "x", 1, Visibility::Visible), S).unwrap();
    let screens: Vec<String> = displays.list(S).into_iter().map(|view| view.screen).collect();
    assert_eq!(screens.len(), DISPLAYS);
    assert!(screens.contains(&"new".to_owned()) && !screens.contains(&"s7".to_owned()));
    let refused = displays.take(ack("more", "x", 1, Visibility::Visible), S);
    assert!(matches!(refused, Err(WebError::Crowded)), "{refused:?}");
    // Once some are frozen, they do.
    displays.take(ack("more", "x", 1, Visibility::Visible), 30 * S).unwrap();
    assert_eq!(displays.list(30 * S).len(), DISPLAYS);
    // After a day nobody remembers any.
    assert_eq!(displays.list(30 * S + FORGET_US).len(), 0);
}

#[test]
fn nobody_acknowledges_more_often_than_a_screen_has_to() {
    let displays = Displays::default();
    let take = |screen: &str, n, now| displays.take(ack(screen, "x", n, Visibility::Visible), now);
    let passed = (1..=90).filter(|n| take("a", *n, 0).is_ok()).count();
    // The first makes the display known.
    assert_eq!(passed, 1 + ONE.0 as usize);
    assert!(take("a", 100, 0).is_err() && take("a", 101, 2 * S).is_ok());
    // A flood of names is stopped too, and the list holds what it holds.
    let flood = (0..5_000).filter(|i| take(&format!("f{i}"), 1, 2 * S).is_ok()).count();
    assert!(flood <= ALL.0 as usize, "{flood}");
    assert!(displays.list(2 * S).len() <= DISPLAYS);
}

#[test]
fn texts_are_checked_before_anybody_sees_them() {
    let good = ack("a-1", "b-2", 1, Visibility::Visible);
    let spaced = Ack { name: " Wall\n1\u{7} ".to_owned(), ..good.clone() };
    assert_eq!(spaced.checked().unwrap().name, "Wall1");
    for wrong in [
        Ack { screen: "<script>".to_owned(), ..good.clone() },
        Ack { screen: String::new(), ..good.clone() },
        Ack { load: "a b".to_owned(), ..good.clone() },
        Ack { name: "x".repeat(41), ..good.clone() },
        Ack { page: "x".repeat(121), ..good.clone() },
        Ack { line: "x".repeat(81), ..good.clone() },
        Ack { build: "x".repeat(41), ..good },
    ] {
        assert!(matches!(wrong.checked(), Err(WebError::Parameter(_))));
    }
}
