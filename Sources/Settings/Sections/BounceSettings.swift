/// `[bounce]`: what refusals mean.
package struct BounceSettings: ConfSection, Equatable {
    /// Files with rules that stand before the built-in ones, in order.
    package var rules: [String] = []

    init(name: String) {}

    static let fields: [Field<BounceSettings>] = [
        Field(
            "rules", \.rules, .list(.file, count: 0...20),
            "Files with rules on what the refusals of mail servers mean; read before the built-in ones, the first rule that holds wins.")
    ]
}
