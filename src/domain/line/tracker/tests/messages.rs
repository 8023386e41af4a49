//! Messages of a device that tells its changes: several values of a tag in one, and those that come late.

use expect_test::expect;

use super::told::check;

#[test]
fn a_message_with_several_values_of_a_tag_is_counted_value_by_value() {
    // Without the device's times the steps of 40 in no time would be faster than the machine can run.
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        1.9  CW04.fast  n=80@0.9 n=120@1.4 n=160@1.9
        2.4  CW04.fast
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
            minute 0 (open): CW04.good 160 polls 4 missed 0
        "#]],
    );
}

#[test]
fn several_values_without_times_of_their_own_are_spread_over_the_silence() {
    check(
        "
        0.0  CW04.fast  n=0 under=0
        0.5  CW04.fast  n=40
        1.9  CW04.fast  n=80 n=120 n=160
        2.4  CW04.fast
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
            minute 0 (open): CW04.good 160 polls 4 missed 0
        "#]],
    );
}

#[test]
fn several_values_of_one_moment_are_impossible() {
    // The negative control: this is what dating all of them by the arrival of the message would give.
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        1.9  CW04.fast  n=80@1.9 n=120@1.9 n=160@1.9
        2.4  CW04.fast
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
               1.9 count torn of n: 0: torn 0: the reading 120 was off the line for one poll
               2.4 count preset of n: 0 [0, 5]: preset 0 [0, 5]: the counter was set from 80 to 160, which is no count: what was made in these 0.0 s is not known, at most 5
            minute 0 (open): CW04.good 80 [80, 85] polls 4 missed 0
        "#]],
    );
}

/// After a stall several messages come at once. The first did not mention the counter, which had not changed when it was
/// sent: between that and the next value lies more than a second.
/// Shows: CNT-06
#[test]
fn what_a_late_message_confirms_holds_as_of_when_it_was_sent() {
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        2.4  CW04.fast  under=1@1.0
        2.4  CW04.fast  n=190@2.4
        2.9  CW04.fast  n=240@2.9
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
            minute 0 (open): CW04.good 240 CW04.underweight 1 polls 5 missed 0
        "#]],
    );
}

/// The negative control: a message that came at once leaves no time for so many.
#[test]
fn what_a_message_in_time_confirms_holds_as_of_when_it_came() {
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        2.4  CW04.fast  under=1@2.4
        2.4  CW04.fast  n=190@2.4
        2.9  CW04.fast  n=240@2.9
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
               2.9 count preset of n: 0 [0, 5]: preset 0 [0, 5]: the counter was set from 40 to 190, which is no count: what was made in these 0.0 s is not known, at most 5
            minute 0 (open): CW04.good 90 [90, 95] CW04.underweight 1 polls 5 missed 0
        "#]],
    );
}

/// A sign of life has no time of its own: two that come at once were sent half a second apart at least.
#[test]
fn signs_of_life_that_come_at_once_may_be_as_old_as_the_stall() {
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        2.4  CW04.fast
        2.4  CW04.fast
        2.4  CW04.fast  n=140@2.4
        2.9  CW04.fast  n=190@2.9
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
            minute 0 (open): CW04.good 190 polls 6 missed 0
        "#]],
    );
}

/// The negative control: in time, they leave no time for so many.
#[test]
fn a_sign_of_life_in_time_leaves_no_room_for_a_jump() {
    check(
        "
        0.0  CW04.fast  n=0@0.0 under=0@0.0
        0.5  CW04.fast  n=40@0.5
        1.0  CW04.fast
        1.5  CW04.fast
        1.5  CW04.fast  n=240@1.5
        2.0  CW04.fast  n=290@2.0
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
                 0 count first of under: 0
                 2 count preset of n: 0 [0, 5]: preset 0 [0, 5]: the counter was set from 40 to 240, which is no count: what was made in these 0.0 s is not known, at most 5
            minute 0 (open): CW04.good 90 [90, 95] polls 6 missed 0
        "#]],
    );
}

#[test]
fn a_jump_inside_a_message_waits_for_the_next_value() {
    check(
        "
        0.0  CW04.fast  n=1000@0.0
        1.5  CW04.fast  n=1040@0.5 n=0@1.0 n=30@1.5
        ",
        expect![[r#"
                 0 link up of CW04: heard for the first time
                 0 count first of n: 0
               1.5 count preset of n: 0 [0, 64]: preset 0 [0, 64]: the counter was set from 1040 to 0, which is no count: what was made in these 0.5 s is not known, at most 64
            minute 0 (open): CW04.good 70 [70, 134] polls 2 missed 0
        "#]],
    );
}
