//! Tables that leave as files: each table of the screens with its columns. A name has its unit at its end.

use super::picked::{As, Pick, Sheet};

/// Columns from left to right, after how they are written: `"name" = "way"`, or `"name"` where the way is called so too.
macro_rules! picks {
    ($($how:ident: $($name:literal $(= $way:literal)?),+;)+) => {
        &[$($(($name, picks!(@way $name $($way)?), As::$how)),+),+]
    };
    (@way $name:literal $way:literal) => { $way };
    (@way $name:literal) => { $name };
}

/// Tables of `…/data`.
pub(super) const DATA: &[Sheet] = &[
    Sheet {
        name: "tags",
        rows: "tags",
        picks: picks! {
            Text: "station", "tag", "role", "reason";
            Real: "value" = "read value";
            Text: "text" = "read text", "unit", "quality" = "read quality", "doubt";
            Moment: "read" = "read at_ms";
            Real: "age_ms" = "read age_ms";
            Text: "register_or_node" = "address", "map_line" = "map", "poll_group" = "group";
            Real: "period_ms";
            Count: "counted" = "counter total";
            Real: "segment" = "counter segment";
        },
    },
    Sheet {
        name: "polls",
        rows: "polls",
        picks: picks! {
            Text: "station", "poll_group" = "group";
            Real: "planned_polls" = "planned", "done_polls" = "done", "missed_polls" = "n_missed";
            Reasons: "missed_why" = "missed";
            Real: "late_p50_ms" = "late_ms 0", "late_p99_ms" = "late_ms 1",
                "late_max_ms" = "late_ms 2", "round_trip_ms";
        },
    },
    Sheet {
        name: "ledger",
        rows: "entries",
        picks: picks! {
            Moment: "at" = "at_ms", "from" = "from_ms";
            Text: "kind", "word", "station", "tag";
            Count: "count";
            Text: "detail_en" = "detail", "detail_zh";
        },
    },
    Sheet {
        name: "balance",
        rows: "balance sections",
        picks: picks! {
            Text: "stations";
            Count: "went_in", "came_out";
            Difference: "grown";
            Real: "inside_low_capsules" = "inside low", "inside_high_capsules" = "inside high",
                "capacity_capsules" = "capacity";
            Text: "verdict";
        },
    },
    Sheet {
        name: "clocks",
        rows: "clocks",
        picks: picks! {
            Text: "station", "protocol";
            Real: "ahead_ms";
            Text: "verdict", "tag";
        },
    },
];

/// The table of `…/tags`.
pub(super) const TAGS_THEN: &[Sheet] = &[Sheet {
    name: "tags",
    rows: "tags",
    picks: picks! {
        Text: "station", "tag", "role", "reason";
        Real: "value";
        Text: "text", "unit", "quality";
        Moment: "read" = "read_ms";
        Text: "register_or_node" = "address", "map_line" = "map", "poll_group" = "group";
        Real: "period_ms";
    },
}];

/// Tables of `…/losses`.
pub(super) const LOSSES: &[Sheet] = &[
    Sheet {
        name: "stops",
        rows: "stops",
        picks: picks! {
            Moment: "start" = "from_ms", "end" = "to_ms";
            Real: "duration_ms" = "lasted_ms", "inside_span_ms" = "inside_ms";
            Text: "cause", "reason";
            Both: "reason" = "title";
            Text: "stations", "recorded_cause";
            Both: "recorded_reason" = "recorded_title";
            Flag: "micro", "cut_before", "cut_after";
            Text: "said_by" = "said last by";
            Moment: "said" = "said last at_ms";
            Text: "why" = "said last why";
        },
    },
    Sheet {
        name: "losses",
        rows: "losses",
        picks: picks! {
            Text: "cause", "reason";
            Both: "reason" = "title";
            Text: "station";
            Real: "stops" = "n", "lost_ms" = "ms", "share_percent", "cumulative_percent";
        },
    },
    Sheet {
        name: "waterfall",
        rows: "waterfall steps",
        picks: picks! {
            Text: "step" = "id";
            Real: "time_ms" = "ms", "low_ms" = "between_ms 0", "high_ms" = "between_ms 1",
                "share_percent" = "percent";
        },
    },
    Sheet {
        name: "micro_stops",
        rows: "micro_hours",
        picks: picks! {
            Moment: "hour" = "hour_ms";
            Real: "micro_stops" = "n", "micro_ms" = "ms", "coverage_percent" = "known_percent";
        },
    },
];

/// Tables of `…/rejects`.
pub(super) const REJECTS: &[Sheet] = &[
    Sheet {
        name: "rejects",
        rows: "rows",
        picks: picks! {
            Text: "station", "reason";
            Count: "rejected", "out_of" = "total";
            Real: "fraction_ppm" = "ppm", "wilson_low_ppm" = "wilson 0",
                "wilson_high_ppm" = "wilson 1", "share_percent", "cumulative_percent", "before_ppm",
                "difference_ppm", "p_value_adjusted" = "p_value";
            Text: "verdict";
        },
    },
    Sheet { name: "hours", rows: "hours", picks: REJECT_HOURS },
];

const REJECT_HOURS: &[Pick] = picks! {
    Moment: "hour" = "hour_ms";
    Text: "station", "reason";
    Real: "rejected_capsules" = "rejected", "fraction_ppm" = "ppm",
        "coverage_percent" = "known_percent";
};

/// The table of `…/bores`, station after station.
pub(super) const BORES: &[Sheet] = &[Sheet {
    name: "bores",
    rows: "",
    picks: picks! {
        Text: "station";
        Real: "bore", "weights" = "n", "mean_mg", "sd_mg", "difference_mg",
            "p_value_adjusted" = "p_value";
        Text: "verdict";
    },
}];

/// The table of `…/hours`.
pub(super) const HOURS: &[Sheet] = &[Sheet { name: "hours", rows: "", picks: PERIOD }];

/// The table of `…/shifts`.
pub(super) const SHIFTS: &[Sheet] = &[Sheet { name: "shifts", rows: "", picks: PERIOD }];

const PERIOD: &[Pick] = picks! {
    Text: "kind", "name";
    Moment: "start" = "start_ms", "end" = "end_ms";
    Flag: "closed";
    Count: "good", "gap", "rejected";
    Real: "target_capsules" = "target", "coverage_percent" = "known_percent",
        "run_us" = "time_us 0", "internal_us" = "time_us 1", "external_us" = "time_us 2",
        "planned_us" = "time_us 3", "idle_us" = "time_us 4", "unknown_us" = "time_us 5",
        "oee_percent" = "kpis oee_percent";
};

/// The table of `…/batches`.
pub(super) const BATCHES: &[Sheet] = &[Sheet {
    name: "batches",
    rows: "",
    picks: picks! {
        Text: "batch" = "name", "product";
        Moment: "start" = "start_ms", "end" = "end_ms";
        Flag: "closed";
        Count: "good", "gap", "rejected";
        Real: "coverage_percent" = "known_percent", "yield_percent" = "yield_percent best",
            "balance_percent" = "balance_percent best",
            "balance_low_percent" = "balance_percent low",
            "balance_high_percent" = "balance_percent high";
        Text: "balance", "opened_by", "closed_by";
    },
}];

/// The table of `…/calls`.
pub(super) const CALLS: &[Sheet] = &[Sheet {
    name: "calls",
    rows: "",
    picks: picks! {
        Real: "call" = "number";
        Text: "need", "station";
        Moment: "opened" = "opened at_ms";
        Text: "opened_by" = "opened by", "text" = "opened text";
        Moment: "taken" = "taken at_ms";
        Text: "taken_by" = "taken by";
        Real: "waited_ms";
        Moment: "closed" = "closed at_ms";
        Text: "closed_by" = "closed by", "what_was_done" = "closed text";
        Real: "lasted_ms";
    },
}];

const ALERT: &[Pick] = picks! {
    Real: "alert";
    Text: "rule", "line", "subject";
    Moment: "since" = "since_ms", "opened" = "opened_ms", "closed" = "closed_ms";
    Text: "detail_en" = "detail", "detail_zh";
};

/// Tables of `/api/v1/alerts`.
pub(super) const ALERTS: &[Sheet] = &[
    Sheet { name: "alerts", rows: "alerts", picks: ALERT },
    Sheet {
        name: "deliveries",
        rows: "deliveries",
        picks: picks! {
            Moment: "at" = "at_ms";
            Real: "alert";
            Text: "subject", "turn", "webhook" = "hook";
            Real: "attempt";
            Text: "ending";
            Real: "http_status" = "status";
            Text: "error";
        },
    },
];

/// The table of `/api/v1/admin/users`.
pub(in crate::web) const USERS: &[Sheet] = &[Sheet {
    name: "users",
    rows: "",
    picks: picks! {
        Text: "user" = "name", "printed", "role", "state";
        Flag: "must_change";
        Moment: "made" = "made_ms", "changed" = "changed_ms";
        Real: "sessions";
    },
}];

/// The table of `/api/v1/admin/displays`.
pub(in crate::web) const TOKENS: &[Sheet] = &[Sheet {
    name: "tokens",
    rows: "",
    picks: picks! {
        Real: "number";
        Text: "display" = "name";
        Moment: "made" = "made_ms", "revoked" = "revoked_ms";
    },
}];

/// Tables of the panels beside a control chart, those of its own points aside.
pub(super) const CHART: &[Sheet] = &[
    Sheet {
        name: "incidents",
        rows: "incidents",
        picks: picks! {
            Real: "incident" = "id";
            Text: "characteristic";
            Real: "limits_version" = "version";
            Moment: "opened" = "opened_ms", "last" = "last_ms";
            Text: "rules";
            Real: "points";
            Text: "level";
            Flag: "over", "acknowledged";
            Text: "owner", "last_work" = "work last kind", "last_work_by" = "work last author",
                "last_work_text" = "work last text";
        },
    },
    Sheet {
        name: "limits",
        rows: "versions",
        picks: picks! {
            Real: "version";
            Text: "state", "maturity";
            Real: "center", "sigma_z", "sigma", "sigma_within", "ewma_l", "k";
            Text: "rules";
            Moment: "from" = "from_ms", "to" = "to_ms";
            Real: "subgroups" = "n_used";
            Text: "made_by" = "author";
            Moment: "made" = "made_ms";
            Text: "reason", "decided_by";
            Moment: "decided" = "decided_ms";
            Text: "decided_reason", "sha256";
        },
    },
    Sheet {
        name: "lengths",
        rows: "lengths",
        picks: picks! {
            Real: "subgroup_minutes" = "minutes", "subgroups" = "n", "sigma_z_mr", "sigma_z_sd",
                "lag1", "signals_plain" = "n1_plain", "signals_prime" = "n1_prime";
        },
    },
];

/// Tables of `/api/v1/sim`.
pub(super) const SIM: &[Sheet] = &[
    Sheet {
        name: "injections",
        rows: "injections",
        picks: picks! {
            Real: "number";
            Text: "fault";
            Moment: "from" = "from_ms", "to" = "to_ms";
            Text: "verdict";
            Moment: "noticed" = "noticed_ms";
            Real: "delay_ms";
            Text: "sign_kind" = "sign kind", "sign_word" = "sign word",
                "sign_station" = "sign station";
        },
    },
    Sheet {
        name: "false_alarms",
        rows: "false_alarms",
        picks: picks! {
            Moment: "at" = "at_ms";
            Text: "kind", "word", "station", "detail_en" = "detail", "detail_zh";
        },
    },
    Sheet {
        name: "signs",
        rows: "signs",
        picks: picks! {
            Text: "kind", "word", "station";
            Real: "injected", "noticed", "missed", "delay_p50_ms" = "median_ms",
                "delay_max_ms" = "longest_ms", "false_alarms";
        },
    },
    Sheet {
        name: "truth",
        rows: "truth",
        picks: picks! {
            Text: "tag";
            Moment: "as_of" = "at_ms";
            Real: "truth_least_capsules" = "least", "truth_most_capsules" = "most";
            Count: "counted";
            Flag: "agrees";
        },
    },
];

/// The table of `/api/v1/displays`.
pub(in crate::web) const DISPLAYS: &[Sheet] = &[Sheet {
    name: "displays",
    rows: "",
    picks: picks! {
        Text: "display" = "name", "screen", "page", "line", "state";
        Real: "painted_ago_ms", "heard_ago_ms";
        Flag: "old_build";
    },
}];
