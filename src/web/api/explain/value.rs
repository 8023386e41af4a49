//! The numbers that can be explained.

use domain::plc_map::Role;

use crate::web::error::{WebError, short};

macro_rules! explained {
    ($($name:ident $word:literal $what:literal)*) => {
        /// A number that can be explained.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Explained {
            $(#[doc = $what] $name,)*
        }

        impl Explained {
            /// All of them.
            pub(crate) const ALL: &[Explained] = &[$(Explained::$name),*];

            /// The word of the address.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Explained::$name => $word,)* }
            }
        }
    };
}

explained! {
    Good "good" "Good capsules."
    Rejected "rejected" "Rejects."
    Infeed "infeed" "Capsules that went in."
    Samples "samples" "Capsules taken for inspection."
    Gap "gap" "Good capsules that are known for gaps only as a whole."
    Difference "difference" "Good less what the target rate asks for."
    Forecast "forecast" "Expected at the end of the shift."
    Speed "speed" "Capsules a minute over the last minute."
    RejectFraction "reject_fraction" "Rejects in judged capsules."
    Coverage "coverage" "Known part of the time."
    Oee "oee" "Overall equipment effectiveness."
    Availability "availability" "Availability."
    Performance "performance" "Effectiveness."
    Quality "quality" "Quality ratio."
    Throughput "throughput" "Throughput rate."
    Yield "yield" "Good in what went in."
    Balance "balance" "What came out in what went in."
    Mtbf "mtbf" "Mean time between failures."
    Mttr "mttr" "Mean time to repair."
    LostTime "lost_time" "Time of all stops."
    Unassigned "unassigned" "Time of stops without a reason."
    MicroStops "micro_stops" "Time of short stops."
}

impl Explained {
    pub(super) fn from_word(word: &str) -> Result<Explained, WebError> {
        let known = Explained::ALL.iter().copied().find(|value| value.word() == word);
        known.ok_or_else(|| WebError::NoValue {
            asked: short(word),
            known: Explained::ALL.iter().map(|value| value.word()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Whether it is a time of stops, whose rows are stops and not minutes.
    pub(super) fn is_of_stops(self) -> bool {
        matches!(self, Explained::LostTime | Explained::Unassigned | Explained::MicroStops)
    }

    /// Whether it rests on what the line did in the last minutes rather than on the stored record.
    pub(super) fn is_of_now(self) -> bool {
        matches!(self, Explained::Speed | Explained::Forecast)
    }

    /// Whether a tag of this role has a part in it.
    pub(super) fn rests_on(self, role: &Role) -> bool {
        let state = matches!(
            role,
            Role::State
                | Role::Mode
                | Role::StopReason
                | Role::Heartbeat
                | Role::Blocked
                | Role::Starved
        );
        let (good, infeed) = (*role == Role::Good, *role == Role::Infeed);
        let (reject, sample) = (matches!(role, Role::Reject(_)), *role == Role::Sample);
        match self {
            Explained::Good | Explained::Gap | Explained::Speed | Explained::Forecast => good,
            Explained::Difference => good,
            Explained::Rejected => reject,
            Explained::Infeed => infeed,
            Explained::Samples => sample,
            Explained::RejectFraction => good || reject,
            Explained::Yield => good || infeed,
            Explained::Balance => good || infeed || reject || sample,
            Explained::Oee => state || good || sample,
            Explained::Performance | Explained::Throughput => state || good || reject || sample,
            Explained::Quality => good || reject || sample,
            Explained::Coverage | Explained::Availability | Explained::Mtbf | Explained::Mttr => {
                state
            }
            Explained::LostTime | Explained::Unassigned | Explained::MicroStops => state,
        }
    }
}
