//! `validate_argument_spec`: variables against a specification.

use super::control::Controlled;
use super::view::View;
use crate::model::{Map, Outcome, Status, Value};
use crate::module::argument_spec::validate;
use crate::template::Error;

/// Checks the variables that the specification names, and the arguments that are given.
///
/// # Errors
/// When a template fails, one of a variable that is looked at included.
pub fn run(args: &Map, view: &View) -> Result<Controlled, Error> {
    let args = match view.render(&Value::from(args.clone()))? {
        Some(Value::Map(args)) => (*args).clone(),
        _ => Map::new(),
    };
    let Some(spec) = args.get("argument_spec").and_then(Value::as_map) else {
        return Ok(failed(Map::from_iter([("msg", "Incorrect type for argument_spec, expected dict")])));
    };
    let mut given = Map::new();
    for name in spec.keys().filter_map(|key| key.as_str()) {
        if let Some(value) = view.variable(name)? {
            given.insert(name, value);
        }
    }
    given.extend(args.get("provided_arguments").and_then(Value::as_map).cloned().unwrap_or_default());
    let unknown = given.values().find_map(Value::unknown).cloned();
    if let Some(reason) = unknown {
        return Ok(Controlled::of(Outcome::new(Status::Unknown(reason), Map::new())));
    }
    let context = args.get("validate_args_context").cloned().unwrap_or_else(|| Value::from(Map::new()));
    let errors = validate(spec, &given);
    let mut result = Map::from_iter([("changed", Value::from(false)), ("validate_args_context", context)]);
    if errors.is_empty() {
        result.insert("msg", "The arg spec validation passed");
        return Ok(Controlled::of(Outcome::new(Status::Ok, result)));
    }
    result.insert("msg", format!("Validation of arguments failed:\n{}", errors.join("\n")));
    result.insert("argument_errors", Value::list(errors));
    result.insert("argument_spec_data", Value::from(spec.clone()));
    Ok(failed(result))
}

fn failed(result: Map) -> Controlled {
    Controlled::of(Outcome::new(Status::Failed, result))
}

#[cfg(test)]
mod tests {
    use crate::model::Map;
    use crate::module::argument_spec::validate;

    fn data(text: &str) -> Map {
        crate::yaml::from_str_value(text, "spec", false).unwrap().as_map().unwrap().clone()
    }

    fn errors(spec: &str, given: &str) -> Vec<String> {
        validate(&data(spec), &data(given))
    }

    #[test]
    fn arguments_as_specified_are_fine() {
        let spec =
            "{n: {type: int, required: true}, l: {type: list, elements: int}, d: {type: dict, options: {x: {}}}}";
        assert_eq!(errors(spec, "{n: '5', l: '1,2', d: {x: y}}"), Vec::<String>::new());
    }

    #[test]
    fn each_mistake_has_its_words() {
        let spec = "{n: {type: int, required: true}, m: {choices: [a, b]}, l: {type: list, elements: int}}";
        let found = errors(spec, "{m: c, l: [x], o: 1}");
        assert_eq!(found[0], "missing required arguments: n");
        assert!(found[1].starts_with("Elements value for option 'l' is of type str"), "{found:?}");
        assert_eq!(found[2], "value of m must be one of: a, b, got: c");
        assert_eq!(found[3], "o. Supported parameters include: l, m, n.");
    }

    #[test]
    fn rules_between_arguments_hold_at_their_level() {
        let options = "options: {a: {}, b: {}, c: {}}";
        let rules = "mutually_exclusive: [[a, b]], required_together: [[a, c]], required_one_of: [[b, c]], \
                     required_if: [[a, x, [c]]], required_by: {a: c}";
        let spec = format!("{{d: {{type: dict, {options}, {rules}}}}}");
        let found = errors(&spec, "{d: {a: x, b: y}}");
        assert_eq!(
            found,
            [
                "parameters are mutually exclusive: a|b found in d",
                "parameters are required together: a, c found in d",
                "a is x but all of the following are missing: c found in d",
                "missing parameter(s) required by 'a': c found in d",
            ]
        );
        assert_eq!(errors(&spec, "{d: {}}"), ["one of the following is required: b, c found in d"]);
    }
}
