import Toml

/// How the same things are called in sequence files of either kind.
struct PlanDialect: Sendable {
    let isJSON: Bool
    let steps: String
    let stepName: String
    let start: String
    let stopOn: String
    let quietHours: String
    let stopCompanyOn: String
    let stopCompanyIn: String
    let dailyStarts: String
    let trackOpens: String
    let trackClicks: String
    let businessDays: String
    let variants: String
    let ways: String

    static let toml = PlanDialect(
        isJSON: false, steps: "step", stepName: "name", start: "start", stopOn: "stop_on", quietHours: "quiet_hours",
        stopCompanyOn: "stop_company_on", stopCompanyIn: "stop_company_in", dailyStarts: "daily_starts", trackOpens: "track_opens",
        trackClicks: "track_clicks", businessDays: "business_days", variants: "variant", ways: "transition")
    static let json = PlanDialect(
        isJSON: true, steps: "nodes", stepName: "id", start: "startNodeId", stopOn: "stopOn", quietHours: "quietHours",
        stopCompanyOn: "stopCompanyOn", stopCompanyIn: "stopCompanyIn", dailyStarts: "dailyStarts",
        trackOpens: "trackOpens", trackClicks: "trackClicks", businessDays: "businessDays", variants: "variants", ways: "transitions")

    /// What a wait's length is called.
    var length: String { isJSON ? "duration" : "delay" }

    /// How one step is written, for a person.
    var oneStep: String { isJSON ? "an object in \"nodes\"" : "[[step]]" }

    var planKeys: [String] {
        [
            "name", "description", stopOn, stopCompanyOn, stopCompanyIn, dailyStarts, trackOpens, trackClicks, start, "timezone",
            quietHours, "snippets", steps,
        ]
            + (isJSON ? ["version"] : ["extra"])
    }

    func stepKeys(_ type: String) -> [String] {
        let common = ["type", stepName] + (isJSON ? [] : ["next", "extra"])
        switch type {
        case "send":
            return common + ["channel", "delay", businessDays, "subject", "text", "html", variants, ways] + (isJSON ? ["body"] : [])
        case "wait": return common + [length, businessDays, ways]
        case "action": return common + ["delay", businessDays, "set", "tag", "untag", "list", "unlist", "owner", "suppress", "enroll", ways]
        case "webhook": return common + ["delay", businessDays, "webhook", "url", "fields", "data", ways]
        case "stop": return common + ["reason", ways]
        default: return common + ["delay", businessDays, ways]
        }
    }

    var wayKeys: [String] { ["on", "class", "intent", "after", "within", "if", "weight", "to"] + (isJSON ? [] : ["extra"]) }
    static let variantKeys = ["name", "weight", "subject", "text", "html"]

    /// Where a finding stands in the file.
    func path(of finding: PlanCheck.Finding) -> [TomlStep] {
        var path: [TomlStep] = finding.step.map { [.key(steps), .index($0)] } ?? []
        if let way = finding.way { path += [.key(ways), .index(way)] }
        switch finding.key {
        case .variants: path.append(.key(variants))
        case .intent: path.append(.key("intent"))
        case .name: path.append(.key(stepName))
        case .start: path.append(.key(start))
        case .to: path.append(.key("to"))
        case .on: path.append(.key("on"))
        case .classes: path.append(.key("class"))
        case .within: path.append(.key("within"))
        case .after: path.append(.key("after"))
        case .condition: path.append(.key("if"))
        case .weight: path.append(.key("weight"))
        case .subject: path.append(.key("subject"))
        case .ways: path.append(.key(ways))
        case .trackOpens: path.append(.key(trackOpens))
        case .trackClicks: path.append(.key(trackClicks))
        case .enroll: path.append(.key("enroll"))
        case nil: break
        }
        return path
    }
}
