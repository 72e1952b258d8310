//! Dashboards, rows and panels in Grafana's classic schema 39, for Grafana 10 and later. Uses no panel types that these
//! versions have removed.

use serde_json::{Value, json};

/// Width of a dashboard.
const WIDTH: u64 = 24;

/// A dashboard.
#[derive(Clone, Debug)]
pub struct Board {
    title: &'static str,
    uid: &'static str,
    refresh: &'static str,
    from: &'static str,
    description: &'static str,
    variables: Vec<Value>,
    annotations: Vec<Value>,
    rows: Vec<(Value, Vec<Value>)>,
}

/// A panel.
#[derive(Clone, Debug)]
pub struct Panel(Value);

impl Board {
    /// A dashboard without rows, with a variable for its data source.
    pub fn new(title: &'static str, uid: &'static str, description: &'static str) -> Self {
        let datasource = json!({
            "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source", "refresh": 1,
            "current": {}, "hide": 0, "includeAll": false, "multi": false, "options": [], "regex": "",
        });
        let (refresh, from) = ("30s", "now-6h");
        let (annotations, rows) = (vec![], vec![]);
        Self { title, uid, refresh, from, description, variables: vec![datasource], annotations, rows }
    }

    /// Its refresh interval and time range.
    #[must_use]
    pub fn every(self, refresh: &'static str, from: &'static str) -> Self {
        Self { refresh, from, ..self }
    }

    /// A variable with values from a query, extracted with `regex` from each series.
    #[must_use]
    pub fn variable(mut self, name: &str, label: &str, query: &str, regex: &str, many: bool) -> Self {
        self.variables.push(json!({
            "name": name, "label": label, "type": "query", "datasource": source(), "query": {"query": query, "refId": name},
            "definition": query, "regex": regex, "refresh": 2, "sort": 1, "hide": 0, "multi": many, "includeAll": many,
            "allValue": if many { json!(".+") } else { Value::Null }, "options": [],
            "current": if many { json!({"text": ["All"], "value": ["$__all"]}) } else { json!({}) },
        }));
        self
    }

    /// A variable with fixed values. The first one is the default.
    #[must_use]
    pub fn choice(mut self, name: &str, label: &str, values: &[&str]) -> Self {
        let option = |value: &&str| json!({"text": value, "value": value, "selected": *value == values[0]});
        self.variables.push(json!({
            "name": name, "label": label, "type": "custom", "query": values.join(","), "hide": 0, "multi": false,
            "includeAll": false, "options": values.iter().map(option).collect::<Vec<_>>(),
            "current": {"text": values[0], "value": values[0]},
        }));
        self
    }

    /// Marks in all graphs while the expression is above 0.
    #[must_use]
    pub fn marks(mut self, name: &str, colour: &str, expression: &str) -> Self {
        self.annotations.push(json!({
            "name": name, "datasource": source(), "enable": true, "hide": false, "iconColor": colour, "expr": expression,
            "titleFormat": name, "useValueForTime": false,
        }));
        self
    }

    /// A row of panels. A collapsed row sends no queries until it is opened.
    #[must_use]
    pub fn row(mut self, title: &str, open: bool, panels: Vec<Panel>) -> Self {
        let row = json!({"type": "row", "title": title, "collapsed": !open});
        self.rows.push((row, panels.into_iter().map(|panel| panel.0).collect()));
        self
    }

    /// The dashboard in Grafana's JSON format.
    pub fn json(&self) -> Value {
        let (mut panels, mut y, mut id) = (vec![], 0, 0);
        for (row, inner) in &self.rows {
            id += 1;
            let mut row = row.clone();
            row["id"] = json!(id);
            row["gridPos"] = json!({"h": 1, "w": WIDTH, "x": 0, "y": y});
            y += 1;
            let mut placed = vec![];
            let (mut x, mut height) = (0, 0);
            for panel in inner {
                id += 1;
                let mut panel = panel.clone();
                let (w, h) = (
                    panel["gridPos"]["w"].as_u64().unwrap_or(8),
                    panel["gridPos"]["h"].as_u64().unwrap_or(8),
                );
                if x + w > WIDTH {
                    (x, y, height) = (0, y + height, 0);
                }
                panel["id"] = json!(id);
                panel["gridPos"] = json!({"h": h, "w": w, "x": x, "y": y});
                (x, height) = (x + w, height.max(h));
                placed.push(panel);
            }
            y += height;
            let collapsed = row["collapsed"] == true;
            row["panels"] = if collapsed { json!(placed) } else { json!([]) };
            panels.push(row);
            if !collapsed {
                panels.extend(placed);
            }
        }
        json!({
            "title": self.title, "uid": self.uid, "description": self.description, "tags": ["serin"],
            "schemaVersion": 39, "editable": false, "graphTooltip": 1, "timezone": "browser", "refresh": self.refresh,
            "time": {"from": self.from, "to": "now"}, "fiscalYearStartMonth": 0, "weekStart": "",
            "links": [{
                "title": "Serin", "type": "dashboards", "tags": ["serin"], "asDropdown": true, "includeVars": true,
                "keepTime": true, "icon": "external link", "targetBlank": false, "tooltip": "", "url": "",
            }],
            "templating": {"list": self.variables},
            "annotations": {"list": self.annotations},
            "panels": panels,
        })
    }
}

/// The data source that the variable names.
pub fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

impl Panel {
    fn new(kind: &str, title: &str, description: &str, unit: &str) -> Self {
        Self(json!({
            "type": kind, "title": title, "description": description, "datasource": source(), "targets": [],
            "gridPos": {"w": 8, "h": 8},
            "fieldConfig": {"defaults": {"unit": unit, "noValue": "no data"}, "overrides": []},
            "options": {},
        }))
    }

    /// One number, or a text if [`Self::words`] is set.
    pub fn stat(title: &str, description: &str, unit: &str) -> Self {
        let mut panel = Self::new("stat", title, description, unit).size(4, 4);
        panel.0["options"] = json!({
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false}, "colorMode": "value",
            "graphMode": "none", "textMode": "auto", "justifyMode": "auto", "orientation": "auto",
        });
        panel
    }

    /// Lines over time.
    pub fn lines(title: &str, description: &str, unit: &str) -> Self {
        let mut panel = Self::new("timeseries", title, description, unit);
        panel.0["fieldConfig"]["defaults"]["custom"] = json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 8, "showPoints": "auto",
            "spanNulls": false, "stacking": {"mode": "none", "group": "A"},
        });
        panel.0["options"] = json!({
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": true},
            "tooltip": {"mode": "multi", "sort": "desc"},
        });
        panel
    }

    /// States over time, as coloured bars.
    pub fn states(title: &str, description: &str) -> Self {
        let mut panel = Self::new("state-timeline", title, description, "short").size(24, 6);
        panel.0["options"] = json!({
            "mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
            "tooltip": {"mode": "single", "sort": "none"},
        });
        panel
    }

    /// Bars, one per series.
    pub fn bars(title: &str, description: &str, unit: &str) -> Self {
        let mut panel = Self::new("bargauge", title, description, unit);
        panel.0["options"] = json!({
            "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
        });
        panel
    }

    /// A number with its bounds.
    pub fn gauge(title: &str, description: &str, unit: &str) -> Self {
        let mut panel = Self::new("gauge", title, description, unit).size(4, 4);
        panel.0["options"] = json!({
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false}, "showThresholdLabels": false,
            "showThresholdMarkers": true, "orientation": "auto",
        });
        panel
    }

    /// A table of the current series, without the `hidden` columns.
    pub fn table(title: &str, description: &str, unit: &str, hidden: &[&str]) -> Self {
        let mut panel = Self::new("table", title, description, unit).size(12, 8);
        let hide: serde_json::Map<String, Value> =
            ["Time"].iter().chain(hidden).map(|name| ((*name).to_owned(), json!(true))).collect();
        panel.0["options"] = json!({"showHeader": true, "cellHeight": "sm"});
        panel.0["transformations"] = json!([
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hide, "indexByName": {}, "renameByName": {}}},
        ]);
        panel
    }

    /// The distribution of a histogram's values over time.
    pub fn heatmap(title: &str, description: &str, unit: &str) -> Self {
        let mut panel = Self::new("heatmap", title, description, unit).size(12, 8);
        panel.0["options"] = json!({
            "calculate": false, "yAxis": {"unit": unit, "axisPlacement": "left"}, "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}, "legend": {"show": true},
            "tooltip": {"mode": "single", "yHistogram": false, "showColorScale": false},
        });
        panel
    }

    /// Sets the width (of 24) and height.
    #[must_use]
    pub fn size(mut self, width: u64, height: u64) -> Self {
        self.0["gridPos"] = json!({"w": width, "h": height});
        self
    }

    fn target(mut self, expression: &str, legend: &str, more: &Value) -> Self {
        let at = self.0["targets"].as_array().map_or(0, Vec::len);
        let letter = char::from(b'A' + u8::try_from(at).unwrap_or(0));
        let mut target = json!({
            "refId": letter.to_string(), "datasource": source(), "expr": expression, "legendFormat": legend,
        });
        if let (Some(target), Some(more)) = (target.as_object_mut(), more.as_object()) {
            target.extend(more.clone());
        }
        if let Some(targets) = self.0["targets"].as_array_mut() {
            targets.push(target);
        }
        self
    }

    /// A range query.
    #[must_use]
    pub fn over_time(self, expression: &str, legend: &str) -> Self {
        self.target(expression, legend, &json!({"range": true}))
    }

    /// An instant query.
    #[must_use]
    pub fn now(self, expression: &str, legend: &str) -> Self {
        self.target(expression, legend, &json!({"instant": true, "range": false}))
    }

    /// An instant query with its series as rows of a table.
    #[must_use]
    pub fn cells(self, expression: &str) -> Self {
        self.target(expression, "", &json!({"instant": true, "range": false, "format": "table"}))
    }

    /// The buckets of a histogram.
    #[must_use]
    pub fn buckets(self, expression: &str) -> Self {
        self.target(expression, "{{le}}", &json!({"range": true, "format": "heatmap"}))
    }

    /// Sets the colour from this value on. The first one applies to all lower values.
    #[must_use]
    pub fn thresholds(mut self, base: &str, steps: &[(f64, &str)]) -> Self {
        let mut all = vec![json!({"color": base, "value": null})];
        all.extend(steps.iter().map(|(value, colour)| json!({"color": colour, "value": value})));
        self.0["fieldConfig"]["defaults"]["thresholds"] = json!({"mode": "absolute", "steps": all});
        self.0["fieldConfig"]["defaults"]["color"] = json!({"mode": "thresholds"});
        self
    }

    /// Shows texts and colours instead of values.
    #[must_use]
    pub fn words(mut self, words: &[(&str, &str, &str)]) -> Self {
        let options: serde_json::Map<String, Value> = words
            .iter()
            .enumerate()
            .map(|(at, (value, text, colour))| {
                ((*value).to_owned(), json!({"text": text, "color": colour, "index": at}))
            })
            .collect();
        self.0["fieldConfig"]["defaults"]["mappings"] = json!([{"type": "value", "options": options}]);
        self
    }

    /// Shows the label of the series instead of its value.
    #[must_use]
    pub fn names(mut self) -> Self {
        self.0["options"]["textMode"] = json!("name");
        self
    }

    /// Values are between these bounds.
    #[must_use]
    pub fn between(mut self, min: f64, max: f64) -> Self {
        self.0["fieldConfig"]["defaults"]["min"] = json!(min);
        self.0["fieldConfig"]["defaults"]["max"] = json!(max);
        self
    }

    /// Lines that keep their value until the next one.
    #[must_use]
    pub fn stepped(mut self) -> Self {
        self.0["fieldConfig"]["defaults"]["custom"]["lineInterpolation"] = json!("stepAfter");
        self
    }

    /// Stacks the series.
    #[must_use]
    pub fn stacked(mut self) -> Self {
        let custom = &mut self.0["fieldConfig"]["defaults"]["custom"];
        custom["stacking"]["mode"] = json!("normal");
        custom["fillOpacity"] = json!(40);
        self
    }

    /// Draws the series with a matching name in this colour. Dashed lines are limits.
    #[must_use]
    pub fn drawn(mut self, pattern: &str, colour: &str, dashed: bool) -> Self {
        let mut properties = vec![json!({"id": "color", "value": {"mode": "fixed", "fixedColor": colour}})];
        if dashed {
            properties.push(json!({"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}}));
            properties.push(json!({"id": "custom.fillOpacity", "value": 0}));
        }
        if let Some(overrides) = self.0["fieldConfig"]["overrides"].as_array_mut() {
            overrides
                .push(json!({"matcher": {"id": "byRegexp", "options": pattern}, "properties": properties}));
        }
        self
    }

    /// One panel for each value of a variable.
    #[must_use]
    pub fn repeated(mut self, variable: &str) -> Self {
        self.0["repeat"] = json!(variable);
        self.0["repeatDirection"] = json!("h");
        self.0["maxPerRow"] = json!(3);
        self
    }

    /// The text for an empty panel.
    #[must_use]
    pub fn empty(mut self, text: &str) -> Self {
        self.0["fieldConfig"]["defaults"]["noValue"] = json!(text);
        self
    }

    /// The cells of a column link to another dashboard.
    #[must_use]
    pub fn linked(mut self, column: &str, title: &str, url: &str) -> Self {
        let links = json!([{"title": title, "url": url, "targetBlank": false}]);
        if let Some(overrides) = self.0["fieldConfig"]["overrides"].as_array_mut() {
            let properties = json!([{"id": "links", "value": links}]);
            overrides.push(json!({"matcher": {"id": "byName", "options": column}, "properties": properties}));
        }
        self
    }
}
