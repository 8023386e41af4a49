//! Tables that leave as files: each table of the screens with its columns. A name has its unit at its end.

use super::picked::{As, Pick, Sheet};

/// Tables of `…/data`.
pub(super) const DATA: &[Sheet] = &[
    Sheet {
        name: "tags",
        rows: "tags",
        picks: &[
            ("station", "station", As::Text),
            ("tag", "tag", As::Text),
            ("role", "role", As::Text),
            ("reason", "reason", As::Text),
            ("value", "read value", As::Real),
            ("text", "read text", As::Text),
            ("unit", "unit", As::Text),
            ("quality", "read quality", As::Text),
            ("doubt", "doubt", As::Text),
            ("read", "read at_ms", As::Moment),
            ("age_ms", "read age_ms", As::Real),
            ("register_or_node", "address", As::Text),
            ("map_line", "map", As::Text),
            ("poll_group", "group", As::Text),
            ("period_ms", "period_ms", As::Real),
            ("counted", "counter total", As::Count),
            ("segment", "counter segment", As::Real),
        ],
    },
    Sheet {
        name: "polls",
        rows: "polls",
        picks: &[
            ("station", "station", As::Text),
            ("poll_group", "group", As::Text),
            ("planned_polls", "planned", As::Real),
            ("done_polls", "done", As::Real),
            ("missed_polls", "n_missed", As::Real),
            ("missed_why", "missed", As::Reasons),
            ("late_p50_ms", "late_ms 0", As::Real),
            ("late_p99_ms", "late_ms 1", As::Real),
            ("late_max_ms", "late_ms 2", As::Real),
            ("round_trip_ms", "round_trip_ms", As::Real),
        ],
    },
    Sheet {
        name: "ledger",
        rows: "entries",
        picks: &[
            ("at", "at_ms", As::Moment),
            ("from", "from_ms", As::Moment),
            ("kind", "kind", As::Text),
            ("word", "word", As::Text),
            ("station", "station", As::Text),
            ("tag", "tag", As::Text),
            ("count", "count", As::Count),
            ("detail_en", "detail", As::Text),
            ("detail_zh", "detail_zh", As::Text),
        ],
    },
    Sheet {
        name: "balance",
        rows: "balance sections",
        picks: &[
            ("stations", "stations", As::Text),
            ("went_in", "went_in", As::Count),
            ("came_out", "came_out", As::Count),
            ("grown", "grown", As::Difference),
            ("inside_low_capsules", "inside low", As::Real),
            ("inside_high_capsules", "inside high", As::Real),
            ("capacity_capsules", "capacity", As::Real),
            ("verdict", "verdict", As::Text),
        ],
    },
    Sheet {
        name: "clocks",
        rows: "clocks",
        picks: &[
            ("station", "station", As::Text),
            ("protocol", "protocol", As::Text),
            ("ahead_ms", "ahead_ms", As::Real),
            ("verdict", "verdict", As::Text),
            ("tag", "tag", As::Text),
        ],
    },
];

/// The table of `…/tags`.
pub(super) const TAGS_THEN: &[Sheet] = &[Sheet {
    name: "tags",
    rows: "tags",
    picks: &[
        ("station", "station", As::Text),
        ("tag", "tag", As::Text),
        ("role", "role", As::Text),
        ("reason", "reason", As::Text),
        ("value", "value", As::Real),
        ("text", "text", As::Text),
        ("unit", "unit", As::Text),
        ("quality", "quality", As::Text),
        ("read", "read_ms", As::Moment),
        ("register_or_node", "address", As::Text),
        ("map_line", "map", As::Text),
        ("poll_group", "group", As::Text),
        ("period_ms", "period_ms", As::Real),
    ],
}];

/// Tables of `…/losses`.
pub(super) const LOSSES: &[Sheet] = &[
    Sheet {
        name: "stops",
        rows: "stops",
        picks: &[
            ("start", "from_ms", As::Moment),
            ("end", "to_ms", As::Moment),
            ("duration_ms", "lasted_ms", As::Real),
            ("inside_span_ms", "inside_ms", As::Real),
            ("cause", "cause", As::Text),
            ("reason", "reason", As::Text),
            ("reason", "title", As::Both),
            ("stations", "stations", As::Text),
            ("recorded_cause", "recorded_cause", As::Text),
            ("recorded_reason", "recorded_title", As::Both),
            ("micro", "micro", As::Flag),
            ("cut_before", "cut_before", As::Flag),
            ("cut_after", "cut_after", As::Flag),
            ("said_by", "said last by", As::Text),
            ("said", "said last at_ms", As::Moment),
            ("why", "said last why", As::Text),
        ],
    },
    Sheet {
        name: "losses",
        rows: "losses",
        picks: &[
            ("cause", "cause", As::Text),
            ("reason", "reason", As::Text),
            ("reason", "title", As::Both),
            ("station", "station", As::Text),
            ("stops", "n", As::Real),
            ("lost_ms", "ms", As::Real),
            ("share_percent", "share_percent", As::Real),
            ("cumulative_percent", "cumulative_percent", As::Real),
        ],
    },
    Sheet {
        name: "waterfall",
        rows: "waterfall steps",
        picks: &[
            ("step", "id", As::Text),
            ("time_ms", "ms", As::Real),
            ("low_ms", "between_ms 0", As::Real),
            ("high_ms", "between_ms 1", As::Real),
            ("share_percent", "percent", As::Real),
        ],
    },
];

/// Tables of `…/rejects`.
pub(super) const REJECTS: &[Sheet] = &[
    Sheet {
        name: "rejects",
        rows: "rows",
        picks: &[
            ("station", "station", As::Text),
            ("reason", "reason", As::Text),
            ("rejected", "rejected", As::Count),
            ("out_of", "total", As::Count),
            ("fraction_ppm", "ppm", As::Real),
            ("wilson_low_ppm", "wilson 0", As::Real),
            ("wilson_high_ppm", "wilson 1", As::Real),
            ("share_percent", "share_percent", As::Real),
            ("cumulative_percent", "cumulative_percent", As::Real),
            ("before_ppm", "before_ppm", As::Real),
            ("difference_ppm", "difference_ppm", As::Real),
            ("p_value_adjusted", "p_value", As::Real),
            ("verdict", "verdict", As::Text),
        ],
    },
    Sheet { name: "hours", rows: "hours", picks: REJECT_HOURS },
];

const REJECT_HOURS: &[Pick] = &[
    ("hour", "hour_ms", As::Moment),
    ("station", "station", As::Text),
    ("reason", "reason", As::Text),
    ("rejected_capsules", "rejected", As::Real),
    ("fraction_ppm", "ppm", As::Real),
    ("coverage_percent", "known_percent", As::Real),
];

/// The table of `…/bores`, station by station.
pub(super) const BORES: &[Sheet] = &[Sheet {
    name: "bores",
    rows: "stations 0 bores",
    picks: &[
        ("bore", "bore", As::Real),
        ("weights", "n", As::Real),
        ("mean_mg", "mean_mg", As::Real),
        ("sd_mg", "sd_mg", As::Real),
        ("difference_mg", "difference_mg", As::Real),
        ("p_value_adjusted", "p_value", As::Real),
        ("verdict", "verdict", As::Text),
    ],
}];

/// The table of `…/hours`.
pub(super) const HOURS: &[Sheet] = &[Sheet { name: "hours", rows: "", picks: PERIOD }];

/// The table of `…/shifts`.
pub(super) const SHIFTS: &[Sheet] = &[Sheet { name: "shifts", rows: "", picks: PERIOD }];

const PERIOD: &[Pick] = &[
    ("kind", "kind", As::Text),
    ("name", "name", As::Text),
    ("start", "start_ms", As::Moment),
    ("end", "end_ms", As::Moment),
    ("closed", "closed", As::Flag),
    ("good", "good", As::Count),
    ("gap", "gap", As::Count),
    ("rejected", "rejected", As::Count),
    ("target_capsules", "target", As::Real),
    ("coverage_percent", "known_percent", As::Real),
    ("run_us", "time_us 0", As::Real),
    ("internal_us", "time_us 1", As::Real),
    ("external_us", "time_us 2", As::Real),
    ("planned_us", "time_us 3", As::Real),
    ("idle_us", "time_us 4", As::Real),
    ("unknown_us", "time_us 5", As::Real),
    ("oee_percent", "kpis oee_percent", As::Real),
];

/// The table of `…/batches`.
pub(super) const BATCHES: &[Sheet] = &[Sheet {
    name: "batches",
    rows: "",
    picks: &[
        ("batch", "name", As::Text),
        ("product", "product", As::Text),
        ("start", "start_ms", As::Moment),
        ("end", "end_ms", As::Moment),
        ("closed", "closed", As::Flag),
        ("good", "good", As::Count),
        ("gap", "gap", As::Count),
        ("rejected", "rejected", As::Count),
        ("coverage_percent", "known_percent", As::Real),
        ("yield_percent", "yield_percent best", As::Real),
        ("balance_percent", "balance_percent best", As::Real),
        ("balance_low_percent", "balance_percent low", As::Real),
        ("balance_high_percent", "balance_percent high", As::Real),
        ("balance", "balance", As::Text),
        ("opened_by", "opened_by", As::Text),
        ("closed_by", "closed_by", As::Text),
    ],
}];

/// The table of `…/calls`.
pub(super) const CALLS: &[Sheet] = &[Sheet {
    name: "calls",
    rows: "",
    picks: &[
        ("call", "number", As::Real),
        ("need", "need", As::Text),
        ("station", "station", As::Text),
        ("opened", "opened at_ms", As::Moment),
        ("opened_by", "opened by", As::Text),
        ("text", "opened text", As::Text),
        ("taken", "taken at_ms", As::Moment),
        ("taken_by", "taken by", As::Text),
        ("waited_ms", "waited_ms", As::Real),
        ("closed", "closed at_ms", As::Moment),
        ("closed_by", "closed by", As::Text),
        ("what_was_done", "closed text", As::Text),
        ("lasted_ms", "lasted_ms", As::Real),
    ],
}];

const ALERT: &[Pick] = &[
    ("alert", "alert", As::Real),
    ("rule", "rule", As::Text),
    ("line", "line", As::Text),
    ("subject", "subject", As::Text),
    ("since", "since_ms", As::Moment),
    ("opened", "opened_ms", As::Moment),
    ("closed", "closed_ms", As::Moment),
    ("detail_en", "detail", As::Text),
    ("detail_zh", "detail_zh", As::Text),
];

/// Tables of `/api/v1/alerts`.
pub(super) const ALERTS: &[Sheet] = &[
    Sheet { name: "alerts", rows: "alerts", picks: ALERT },
    Sheet {
        name: "deliveries",
        rows: "deliveries",
        picks: &[
            ("at", "at_ms", As::Moment),
            ("alert", "alert", As::Real),
            ("subject", "subject", As::Text),
            ("turn", "turn", As::Text),
            ("webhook", "hook", As::Text),
            ("attempt", "attempt", As::Real),
            ("ending", "ending", As::Text),
            ("http_status", "status", As::Real),
            ("error", "error", As::Text),
        ],
    },
];

/// The table of `/api/v1/displays`.
pub(in crate::web) const DISPLAYS: &[Sheet] = &[Sheet {
    name: "displays",
    rows: "",
    picks: &[
        ("display", "name", As::Text),
        ("screen", "screen", As::Text),
        ("page", "page", As::Text),
        ("line", "line", As::Text),
        ("state", "state", As::Text),
        ("painted_ago_ms", "painted_ago_ms", As::Real),
        ("heard_ago_ms", "heard_ago_ms", As::Real),
        ("old_build", "old_build", As::Flag),
    ],
}];
