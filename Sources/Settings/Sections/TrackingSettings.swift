/// `[tracking]`: counting of opens and clicks, which is off unless it is turned on.
package struct TrackingSettings: ConfSection, Equatable {
    package var opens = false
    package var clicks = false
    /// Nil: nothing is counted, whatever sequences say.
    package var baseURL: String?
    package var machineWithin = Duration.seconds(10)
    package var machines: [String] = []

    init(name: String) {}

    static let fields: [Field<TrackingSettings>] = [
        Field(
            "opens", \.opens, .flag,
            "Put a picture into the HTML of messages that tells when they are opened; a sequence may say otherwise."),
        Field("clicks", \.clicks, .flag, "Let the links of HTML messages lead by way of base_url; a sequence may say otherwise."),
        Field(
            "base_url", \.baseURL, .webAddress(otherwise: "the links of messages must be https"),
            "The public URL that your reverse proxy hands to [http] with what is below it, o/ and c/ as they are."),
        Field(
            "machine_within", \.machineWithin, .duration(.zero...(.seconds(3600))),
            "What opens or clicks so soon after the message was handed over is a machine."),
        Field(
            "machines", \.machines, .list(.file, count: 0...20),
            "Files with programs that fetch by themselves; read before the built-in one, what they say of a machine stands."),
    ]
}
