# In the emulated machine of the tests all is 10 to 15 times slower.
ExUnit.start(timeout: 120_000, assert_receive_timeout: 10_000)

# What the documents show, for documents_test.exs.
Documents.compile_programs()
