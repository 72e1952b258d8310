//! What only the Gateway API and Contour do, on the real thing, and what happens when no Gateway takes the route.

use crate::Family;

pub(crate) const STORIES: Family = &[];
