//! Rule files, matching and suppressions: effects to findings.
