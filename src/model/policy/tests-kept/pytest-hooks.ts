/** Hooks of pytest and unittest by which code decides what is run, and how it ends; flags `gm`. */
export const testHooks =
  /^[ \t]*collect_ignore(?:_glob)?\s*(?:=|\+=)|\bpytest_(?:collection_modifyitems|ignore_collect|runtest_makereport|runtest_call|runtest_protocol|runtestloop|runtest_logreport|runtest_logstart|report_teststatus|load_initial_conftests|cmdline_(?:main|parse)|deselected|itemcollected|sessionfinish|pyfunc_call|collect_file|pycollect_makeitem)\b|^def[ \t]+load_tests\b/gm
