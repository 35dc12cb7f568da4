//! `args!`: one declaration gives a module's argument struct, its parser and its documentation.

use super::convert::wrong_type;
use super::{ArgSpec, FromArg};
use crate::model::{Failure, Map, Value};

/// A struct of arguments, made by [`args!`](crate::args).
pub trait Arguments: Sized {
    /// The arguments, in the order of declaration.
    fn specs() -> Vec<ArgSpec>;

    /// Takes its arguments out of a task's.
    ///
    /// # Errors
    /// When one is missing or cannot be converted.
    fn take(args: &mut ArgMap<'_>) -> Result<Self, Failure>;

    /// Reads a task's arguments. The names are checked when the playbook is loaded
    /// and again here, since a worker trusts nobody.
    ///
    /// # Errors
    /// When one is missing, not known, refused or cannot be converted.
    fn parse(args: &Map) -> Result<Self, Failure> {
        let specs = Self::specs();
        for name in args.keys() {
            let name = name.to_string();
            let Some(spec) = specs.iter().find(|s| s.name == name || s.aliases.contains(&name.as_str())) else {
                let supported: Vec<&str> = specs.iter().map(|s| s.name).collect();
                return Err(Failure::new(format!(
                    "Unsupported parameters: {name}. Supported parameters include: {}",
                    supported.join(", ")
                )));
            };
            if let Some(why) = spec.refused {
                return Err(Failure::new(format!("argument '{name}' is not supported: {why}")));
            }
        }
        Self::take(&mut ArgMap { args, specs: &specs })
    }
}

/// A task's arguments while they are taken apart.
pub struct ArgMap<'a> {
    args: &'a Map,
    specs: &'a [ArgSpec],
}

impl ArgMap<'_> {
    /// The value of argument `name`, converted; its default when it is not given.
    ///
    /// # Errors
    /// When it is required and missing, or cannot be converted.
    pub fn get<T: FromArg>(&self, name: &str, default: Option<T>) -> Result<T, Failure> {
        let spec = self.specs.iter().find(|s| s.name == name);
        let aliases = spec.map_or(&[][..], |s| s.aliases);
        let given = std::iter::once(&name).chain(aliases).find_map(|n| self.args.get(n)).filter(|v| !v.is_null());
        let Some(value) = given else {
            return default
                .or_else(T::absent)
                .ok_or_else(|| Failure::new(format!("missing required arguments: {name}")));
        };
        if let Some(reason) = value.unknown() {
            return Err(Failure::unknown(reason.clone()));
        }
        let converted = T::from_arg(value).map_err(|why| wrong_type(name, T::KIND, value, &why))?;
        if let Some(spec) = spec.filter(|s| !s.choices.is_empty()) {
            check_choice(spec, value)?;
        }
        Ok(converted)
    }
}

fn check_choice(spec: &ArgSpec, value: &Value) -> Result<(), Failure> {
    let items = value.as_list().unwrap_or(std::slice::from_ref(value));
    for item in items {
        let text = String::from_arg(item).unwrap_or_default();
        let as_word = |b: bool| if b { ["yes", "true", "on"] } else { ["no", "false", "off"] };
        let is_bool_word = item.as_bool().is_some_and(|b| as_word(b).iter().any(|w| spec.choices.contains(w)));
        let split = item.as_str().filter(|_| matches!(spec.kind, super::ArgKind::List(_)));
        let all_parts = split.is_some_and(|t| t.split(',').all(|part| spec.choices.contains(&part.trim())));
        if !spec.choices.contains(&text.as_str()) && !is_bool_word && !all_parts {
            return Err(Failure::new(format!(
                "value of {} must be one of: {}, got: {text}",
                spec.name,
                spec.choices.join(", ")
            )));
        }
    }
    Ok(())
}

/// Declares a struct of module arguments.
///
/// ```
/// rplay::args! {
///     /// Arguments of an example.
///     pub struct Example {
///         /// Where.
///         [required, aliases "dest" "name"]
///         path: rplay::module::Path,
///         /// What is to be there.
///         [choices "file" "absent"]
///         state: String = "file".to_owned(),
///         /// Left out: `None`.
///         owner: Option<String>,
///         /// Ansible has it, rplay refuses it.
///         [refused "there is no Python on the host"]
///         attributes: Option<String>,
///     }
/// }
/// use rplay::module::Arguments;
/// let args = rplay::model::Map::from_iter([("dest", "/etc/motd")]);
/// assert_eq!(&*Example::parse(&args).unwrap().path, "/etc/motd");
/// ```
///
/// A field's type decides its kind ([`FromArg`]); `Option` or a default makes it
/// optional. `..name: Type` at the end, after a `;`, takes in the arguments of another struct, or of
/// several.
#[macro_export]
macro_rules! args {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $fdoc:literal])*
                $([ $($opt:tt)* ])?
                $field:ident : $ty:ty $(= $default:expr)?
            ),* $(,)?
            $(; $(..$nested:ident : $nested_ty:ty),+ $(,)?)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "what is refused, or used by the controller alone, is declared as well")]
        pub struct $name {
            $(
                $(#[doc = $fdoc])*
                pub $field: $ty,
            )*
            $($(
                #[doc = "Arguments shared with other modules."]
                pub $nested: $nested_ty,
            )+)?
        }

        impl $crate::module::Arguments for $name {
            fn specs() -> Vec<$crate::module::ArgSpec> {
                #[allow(unused_mut, reason = "nothing may be declared, or nothing nested")]
                let mut specs = vec![$({
                    #[allow(unused_mut, reason = "a field may have no options")]
                    let mut spec = $crate::module::ArgSpec {
                        name: stringify!($field).trim_start_matches("r#"),
                        aliases: &[],
                        doc: concat!($($fdoc, "\n"),*),
                        kind: <$ty as $crate::module::FromArg>::KIND,
                        required: false,
                        choices: &[],
                        default: None $(.or(Some(stringify!($default))))?,
                        refused: None,
                    };
                    $($crate::args!(@options spec $($opt)*);)?
                    spec
                }),*];
                $($(specs.extend(<$nested_ty as $crate::module::Arguments>::specs());)+)?
                specs
            }

            fn take(args: &mut $crate::module::ArgMap<'_>) -> Result<Self, $crate::model::Failure> {
                Ok(Self {
                    $($field: args.get(
                        stringify!($field).trim_start_matches("r#"),
                        None $(.or(Some($default)))?,
                    )?,)*
                    $($($nested: <$nested_ty as $crate::module::Arguments>::take(args)?,)+)?
                })
            }
        }
    };
    (@options $spec:ident) => {};
    (@options $spec:ident required $(, $($rest:tt)*)?) => {
        $spec.required = true;
        $($crate::args!(@options $spec $($rest)*);)?
    };
    (@options $spec:ident aliases $($alias:literal)+ $(, $($rest:tt)*)?) => {
        $spec.aliases = &[$($alias),+];
        $($crate::args!(@options $spec $($rest)*);)?
    };
    (@options $spec:ident choices $($choice:literal)+ $(, $($rest:tt)*)?) => {
        $spec.choices = &[$($choice),+];
        $($crate::args!(@options $spec $($rest)*);)?
    };
    (@options $spec:ident refused $why:literal $(, $($rest:tt)*)?) => {
        $spec.refused = Some($why);
        $($crate::args!(@options $spec $($rest)*);)?
    };
}
