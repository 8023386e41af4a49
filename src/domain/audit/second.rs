//! Records that two persons sign: the author first, then somebody else who has looked through it or approves it.

use super::{Meaning, Signature};

/// What the second signature under a report can mean.
pub const SECOND: [Meaning; 2] = [Meaning::Reviewed, Meaning::Approved];

/// Why a second signature is not taken. The text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// No such report.
    #[error("there is no such final report")]
    NoReport,
    /// Another one took its place.
    #[error("a later version was made final; sign that one")]
    Later,
    /// Nobody has signed as its author: it was made final by one person, or where nobody signs.
    #[error("nobody signed it as its author; make another version final")]
    NoAuthor,
    /// The author alone is not two persons.
    #[error("a report is signed by somebody else than its author; ask a second person")]
    Author,
    /// There are two already.
    #[error("a second person has signed it already; nothing is left to sign")]
    Signed,
    /// The record is another one than the one that was signed first.
    #[error("it is not what its author signed; look through the audit trail")]
    Changed,
}

fn author(signatures: &[Signature]) -> Option<&Signature> {
    signatures.iter().find(|signature| signature.meaning == Meaning::Authored.word())
}

fn is_second(signature: &Signature, author: &Signature) -> bool {
    let means = SECOND.iter().any(|meaning| meaning.word() == signature.meaning);
    means && signature.account != author.account && signature.record_sha256 == author.record_sha256
}

/// Whether the author alone has signed a record. What was made final by one person, as its approval, waits for nobody.
pub fn awaits_second(signatures: &[Signature]) -> bool {
    let waits = |author| !signatures.iter().any(|signature| is_second(signature, author));
    author(signatures).is_some_and(waits)
}

/// Whether an account can be the second to sign a record of that hash.
///
/// # Errors
/// Why not.
pub fn takes_second(
    signatures: &[Signature],
    account: &str,
    record_sha256: &str,
) -> Result<(), NotSigned> {
    let author = author(signatures).ok_or(NotSigned::NoAuthor)?;
    if author.record_sha256 != record_sha256 {
        return Err(NotSigned::Changed);
    }
    if !awaits_second(signatures) {
        return Err(NotSigned::Signed);
    }
    match author.account == account {
        true => Err(NotSigned::Author),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(account: &str, meaning: Meaning, record: &str) -> Signature {
        Signature {
            meaning: meaning.word().to_owned(),
            account: account.to_owned(),
            record_sha256: record.to_owned(),
            ..Signature::default()
        }
    }

    #[test]
    fn the_author_and_somebody_else_are_two_and_nobody_else_is() {
        let authored = signature("zhao", Meaning::Authored, "r");
        let of =
            |account, meaning, record| vec![authored.clone(), signature(account, meaning, record)];
        for (signatures, awaits) in [
            (vec![], false),
            (vec![signature("zhao", Meaning::Approved, "r")], false),
            (vec![authored.clone()], true),
            (of("zhao", Meaning::Approved, "r"), true),
            (of("wu", Meaning::Authored, "r"), true),
            (of("wu", Meaning::Confirmed, "r"), true),
            (of("wu", Meaning::Rejected, "r"), true),
            (of("wu", Meaning::Approved, "another"), true),
            (of("wu", Meaning::Reviewed, "r"), false),
            (of("wu", Meaning::Approved, "r"), false),
        ] {
            assert_eq!(awaits_second(&signatures), awaits, "{signatures:?}");
        }
        let alone = std::slice::from_ref(&authored);
        assert_eq!(takes_second(alone, "wu", "r"), Ok(()));
        assert_eq!(takes_second(alone, "zhao", "r"), Err(NotSigned::Author));
        assert_eq!(takes_second(alone, "wu", "changed"), Err(NotSigned::Changed));
        assert_eq!(takes_second(&[], "wu", "r"), Err(NotSigned::NoAuthor));
        let both = of("wu", Meaning::Approved, "r");
        assert_eq!(takes_second(&both, "li", "r"), Err(NotSigned::Signed));
    }
}
