//! Devices, their rates, limits, and the platform of a container.

use super::args::Rate;
use super::wanted::Wanted;
use crate::model::{Failure, Map, Value};
use crate::module::FromArg;
use crate::modules::docker::engine::{Kind, Version, text_at};
use crate::modules::docker::{Options, names, texts};

type Made = Result<Value, Failure>;
type Rates = Option<Vec<Options<Rate>>>;

fn rates(list: &Rates, read: fn(&str) -> Result<i64, Failure>) -> Made {
    let Some(list) = list else { return Ok(Value::Null) };
    let one = |Options(rate): &Options<Rate>| {
        let map = Map::from_iter([("Path", Value::from(&rate.path)), ("Rate", Value::from(read(&rate.rate)?))]);
        Ok(Value::from(map))
    };
    Ok(Value::list(list.iter().map(one).collect::<Result<Vec<Value>, Failure>>()?))
}

fn bytes(text: &str) -> Result<i64, Failure> {
    names::size("rate", text)
}

fn operations(text: &str) -> Result<i64, Failure> {
    text.trim().parse().map_err(|_| Failure::new(format!("the rate of a device is a number of operations: {text}")))
}

pub fn read_bps(wanted: &Wanted<'_>) -> Made {
    rates(&wanted.args.settings.device_read_bps, bytes)
}

pub fn write_bps(wanted: &Wanted<'_>) -> Made {
    rates(&wanted.args.settings.device_write_bps, bytes)
}

pub fn read_iops(wanted: &Wanted<'_>) -> Made {
    rates(&wanted.args.settings.device_read_iops, operations)
}

pub fn write_iops(wanted: &Wanted<'_>) -> Made {
    rates(&wanted.args.settings.device_write_iops, operations)
}

/// `/dev/a:/dev/b:rwm`; the parts that are left out are as `docker run` has them.
pub fn devices(wanted: &Wanted<'_>) -> Made {
    let Some(list) = &wanted.args.settings.devices else { return Ok(Value::Null) };
    Ok(Value::list(list.iter().map(|text| {
        let parts: Vec<&str> = text.split(':').collect();
        let host = parts.first().copied().unwrap_or_default();
        let (inside, permissions) = match *parts.as_slice() {
            [_, second] if second.chars().all(|c| "rwm".contains(c)) => (host, second),
            [_, second] => (second, "rwm"),
            [_, second, third, ..] => (second, third),
            _ => (host, "rwm"),
        };
        Map::from_iter([("PathOnHost", host), ("PathInContainer", inside), ("CgroupPermissions", permissions)])
    })))
}

pub fn device_requests(wanted: &Wanted<'_>) -> Made {
    let Some(list) = &wanted.args.settings.device_requests else { return Ok(Value::Null) };
    let mut all = Vec::new();
    for Options(request) in list {
        let mut map = Map::new();
        map.insert("Driver", request.driver.clone());
        map.insert("Count", request.count);
        map.insert("DeviceIDs", request.device_ids.clone().map(texts));
        map.insert("Capabilities", request.capabilities.clone().map(Value::list));
        let options = request.options.as_ref().map(|o| super::super::strings("device_requests", o)).transpose()?;
        map.insert("Options", options);
        all.push(Value::from(map));
    }
    Ok(Value::list(all))
}

/// `nofile:1024:2048`; with one number both limits are that.
pub fn ulimits(wanted: &Wanted<'_>) -> Made {
    let Some(list) = &wanted.args.settings.more.ulimits else { return Ok(Value::Null) };
    let mut all = Vec::new();
    for text in list {
        let wrong = || Failure::new(format!("ulimits: '{text}' is no limit like nofile:1024:2048"));
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let mut number = || parts.next().map(|n| i64::from_arg(&Value::from(n)).map_err(|_| wrong())).transpose();
        let soft = number()?.ok_or_else(wrong)?;
        let hard = number()?.unwrap_or(soft);
        let map: Map =
            [("Name", Value::from(name)), ("Soft", soft.into()), ("Hard", hard.into())].into_iter().collect();
        all.push(map);
    }
    Ok(Value::list(all))
}

/// The words of a platform as images have them.
fn normal(text: &str, engine_os: &str) -> String {
    let arch = |word: &str| match word {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        "i386" => "386".to_owned(),
        other => other.to_owned(),
    };
    let parts: Vec<String> = text.to_lowercase().split('/').map(str::to_owned).collect();
    match parts.as_slice() {
        [one] if ["linux", "windows"].contains(&one.as_str()) => one.clone(),
        [one] => format!("{engine_os}/{}", arch(one)),
        [os, second, ..] => format!("{os}/{}", arch(second)),
        [] => String::new(),
    }
}

pub fn platform(wanted: &Wanted<'_>) -> Made {
    let Some(text) = &wanted.args.settings.more.platform else { return Ok(Value::Null) };
    wanted.engine.needs("platform", Version(1, 41))?;
    Ok(normal(text, "linux").into())
}

/// The platform of the image that a container is made from.
pub fn platform_observed(wanted: &Wanted<'_>, container: &Value) -> Value {
    let image = wanted.engine.find(wanted.host, Kind::Image, text_at(container, &["Image"])).ok().flatten();
    let image = image.unwrap_or_default();
    let (os, arch) = (text_at(&image, &["Os"]), text_at(&image, &["Architecture"]));
    let os_alone = wanted.args.settings.more.platform.as_deref().is_some_and(|p| !normal(p, "linux").contains('/'));
    if os_alone { os.into() } else { normal(&format!("{os}/{arch}"), os).into() }
}
