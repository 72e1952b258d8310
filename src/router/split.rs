//! How requests are split between primary and canary.

/// The split of requests: percent to each side, which add to 100. If the Canary matches requests (`analysis.match`),
/// the split applies to them and all others go to the primary, unless it is for everyone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    canary: u8,
    mirrored: bool,
    everyone: bool,
    pinned: bool,
}

impl Split {
    /// `canary` percent (more than 100 is 100) to the canary, the rest to the primary.
    pub fn to_canary(canary: i32) -> Self {
        Self { canary: canary.clamp(0, 100) as u8, ..Self::default() }
    }
    /// The same with `canary` percent (more than 100 is 100) to the canary.
    #[must_use]
    pub fn with_canary(self, canary: i32) -> Self {
        Self { canary: Self::to_canary(canary).canary, ..self }
    }
    /// With copies of the primary's requests sent to the canary, or without.
    #[must_use]
    pub fn mirroring(self, mirrored: bool) -> Self {
        Self { mirrored, ..self }
    }
    /// For all requests, or for those that the Canary matches.
    #[must_use]
    pub fn for_everyone(self, everyone: bool) -> Self {
        Self { everyone, ..self }
    }
    /// With separate routes for the requests of `analysis.always` and `analysis.never`, or without.
    #[must_use]
    pub fn pinning(self, pinned: bool) -> Self {
        Self { pinned, ..self }
    }
    /// Percent to the canary.
    pub fn canary(self) -> i32 {
        i32::from(self.canary)
    }
    /// Percent to the primary.
    pub fn primary(self) -> i32 {
        100 - self.canary()
    }
    /// The canary gets copies of the primary's requests.
    pub fn mirrored(self) -> bool {
        self.mirrored
    }
    /// The requests of `analysis.always` and `analysis.never` have separate routes.
    pub fn is_pinned(self) -> bool {
        self.pinned
    }
    /// Sends requests to the canary that `other` sends to the primary.
    pub fn exceeds(self, other: Self) -> bool {
        self.canary > other.canary
            || self.canary > 0 && self.everyone && !other.everyone
            || self.pinned && !other.pinned
    }
    /// For all requests, even if the Canary matches some.
    pub fn is_for_everyone(self) -> bool {
        self.everyone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_never_out_of_range() {
        for (given, canary) in [(-1, 0), (0, 0), (30, 30), (100, 100), (i32::MAX, 100)] {
            let split = Split::to_canary(given);
            assert_eq!((split.canary(), split.primary()), (canary, 100 - canary));
        }
    }
}
