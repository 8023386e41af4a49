//! Words of the audit trail: one for each thing that can be done, and what a signature means.

macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident $word:literal)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The word that is stored and shown.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// That of a word.
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What was done.
    What {
        /// The trail of a journal begins: `new` is the identity of the journal.
        JournalBegun "journal_begun"
        /// A backup was restored: `old` is the identity of the journal it was made of, `new` that of this one.
        JournalRestored "journal_restored"
        /// A damaged journal was replaced by the copy beside it: `old` is the last head that is known of it.
        JournalHealed "journal_healed"
        /// A restored journal took over in the plant database.
        JournalAdopted "journal_adopted"
        /// The service started: `new` is its build and the hash of its configuration.
        ServiceStarted "service_started"
        /// The service was stopped.
        ServiceStopped "service_stopped"
        /// At a start the trail was not what the file beside the journal tells: `old` is the head that it holds, `new` the
        /// one that was found.
        TrailDoubted "trail_doubted"
        /// A configuration was taken: `old` and `new` are hashes, the reason says what changed.
        ConfigurationTaken "configuration_taken"
        /// A configuration was not taken; the old one goes on.
        ConfigurationRefused "configuration_refused"
        /// The screens show another certificate: `old` and `new` are SHA-256 of the two.
        CertificateTaken "certificate_taken"
        /// The wall clock stepped.
        ClockStepped "clock_stepped"
        /// Limits were proposed.
        LimitsProposed "limits_proposed"
        /// A subgroup was left out of the baseline of limits.
        SubgroupExcluded "subgroup_excluded"
        /// Limits were approved.
        LimitsApproved "limits_approved"
        /// Limits were rejected.
        LimitsRejected "limits_rejected"
        /// Provisional limits were made by the service.
        LimitsProvisional "limits_provisional"
        /// Somebody worked on an incident.
        IncidentWorked "incident_worked"
        /// The reason of a stop was given, or it was split or merged.
        StopRevised "stop_revised"
        /// It was said why a gap is there.
        GapExplained "gap_explained"
        /// A batch was opened by hand.
        BatchOpened "batch_opened"
        /// A batch was closed by hand.
        BatchClosed "batch_closed"
        /// Help was called for.
        CallOpened "call_opened"
        /// A call was taken.
        CallTaken "call_taken"
        /// A call was closed.
        CallClosed "call_closed"
        /// A report was made final.
        ReportFinalised "report_finalised"
        /// A record was signed: `new` is the hash of the signature.
        Signed "signed"
        /// A signature was refused, such as for a wrong password.
        SignatureRefused "signature_refused"
        /// Something was read out as a file.
        Exported "exported"
        /// Somebody logged in.
        LoggedIn "login"
        /// Somebody logged out.
        LoggedOut "logout"
        /// A login was refused.
        LoginFailed "login_failed"
        /// An account was locked after too many wrong passwords.
        LockedOut "lockout"
        /// The first account was made.
        SetUp "setup"
        /// An account was made.
        UserAdded "user_add"
        /// An account was changed: disabled, given another role or another password.
        UserChanged "user_change"
        /// Nobody got a password of their own: the old one was wrong.
        PasswordRefused "password_refused"
        /// A display was given a token.
        DisplayAdded "display_add"
        /// The token of a display was revoked.
        DisplayRevoked "display_revoke"
    }
}

words! {
    /// What a signature means (21 CFR 11.50: the meaning that is associated with it).
    Meaning {
        /// They made the record and answer for it.
        Authored "authored"
        /// They have looked through it.
        Reviewed "reviewed"
        /// They approve it.
        Approved "approved"
        /// They do not approve it.
        Rejected "rejected"
        /// They confirm what it says.
        Confirmed "confirmed"
    }
}
