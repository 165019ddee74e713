//! Who may let a plan run, and whether they did.
//!
//! In: the policy, git's allowed_signers file, the approval files, the plan, the time. Out: which
//! approvals count and why each other one does not. Signatures are those of `ssh-keygen -Y sign`
//! in the namespace `lockwise`; they are checked here, offline, without a process.

mod file;
mod policy;
mod signers;
mod verify;

pub use file::{ApprovalFile, BadApproval, Binding, Statement};
pub use policy::{Class, Needs, Policy};
pub use signers::{AllowedSigners, BadSigners, Signer};
pub use verify::{Accepted, Evidence, Judgement, Refusal, Refused, Revoked, judge};

/// The namespace of every signature, so that one made for git or email never counts.
pub const NAMESPACE: &str = "lockwise";
