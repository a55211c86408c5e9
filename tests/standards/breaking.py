"""What datacontract-cli says about changes of contracts: read by the environment of the standards' tools.

Standard input has a JSON list of [before, after], each the text of a contract. Prints for each pair the entries that
are more than information: [level, rule, path].
"""

import json
import sys

from datacontract.data_contract import DataContract

found = []
for before, after in json.load(sys.stdin):
    result = DataContract(data_contract_str=before).breaking(DataContract(data_contract_str=after))
    found.append([[one.level.value, one.rule_id, one.path] for one in result.entries if one.level.value != "info"])
json.dump(found, sys.stdout)
