//! The families of vector files, one file each. A new family is a new file and a line in this table.

use crate::run::Family;

macro_rules! families {
    ($($module:ident: $name:literal,)+) => {
        $(mod $module;)+

        pub(crate) const FAMILIES: &[Family] = &[$(Family { name: $name, check: $module::check },)+];
    };
}

families! {
    signal_xeddsa: "signal-xeddsa",
}
