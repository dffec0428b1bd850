/// `[segment.NAME]`: contacts that are meant together, by what holds for them.
package struct SegmentSettings: ConfSection, Equatable {
    package let name: String
    /// A query; what is wrong with it is found where it is read.
    package var condition = ""

    init(name: String) { self.name = name }

    static let fields: [Field<SegmentSettings>] = [
        Field("where", \.condition, .text("a query"), required: true, "Who is meant, as in 'contacts list --where'.")
    ]
}
