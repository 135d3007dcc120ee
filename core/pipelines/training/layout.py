"""Names inside artifacts, known to the step that writes them and to those that read them."""

SOURCE = "source.parquet"
TEST = "test.parquet"
LABEL = "__label__"
ENCODING = "encoding.json"
MODEL = "model.ubj"
