/// The other systems that conf knows, as plans name them.
package struct WebhookBook: Sendable, Equatable {
    /// Why a step calls nothing that conf knows.
    package struct Unknown: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        /// Whether it is about the URL that the step says, and not about the name.
        let isOfURL: Bool
    }

    /// URLs by name.
    private let urls: [String: String]

    package init(_ urls: [String: String] = [:]) { self.urls = urls }

    /// Name of the webhook that a step calls.
    ///
    /// A URL in a plan opens no way out: it must be the one that conf has.
    package func name(of call: SequencePlan.Call) throws(Unknown) -> String {
        guard let name = call.webhook else {
            let names = urls.filter { pair in call.url.map { pair.value.utf8.elementsEqual($0.utf8) } ?? false }.keys.sorted()
            guard let name = names.first else {
                throw Unknown(description: "no [webhook.NAME] of the conf has this URL; \(known), to be named by 'webhook'", isOfURL: true)
            }
            return name
        }
        guard let url = urls[name] else {
            throw Unknown(description: "there is no [webhook.\(name)] in the conf; \(known)", isOfURL: false)
        }
        if let written = call.url, !written.utf8.elementsEqual(url.utf8) {
            throw Unknown(
                description: "it is not the URL that [webhook.\(name)] has in the conf; take 'url' out, or make the two the same",
                isOfURL: true)
        }
        return name
    }

    private var known: String { urls.isEmpty ? "there is none" : "there are \(urls.keys.sorted().joined(separator: ", "))" }
}
